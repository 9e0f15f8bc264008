"""What a solution states as its answer. `⏎` stands for a line's end, None for no answer."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genprm.answer import extract_answer

CASES = r"""
The answer is 7 or 8. | 7 or 8
The answer is x = ±4. | ±4
The answer is 3:2. | 3:2
The answer is (1, 2). | (1, 2)
The answer is [0, 5). | [0, 5)
The answer is (-∞, 3]. | (-∞, 3]
The answer is 2π. | 2π
The answer is √2. | √2
The answer is 5√3 cm. | 5√3\text{ cm}
The answer is 10%. | 10%
The answer is 3 1/4. | 3 1/4
The answer is 3½. | 3½
The answer is x^2 + 1. | x^2 + 1
The answer is f(x) = 2x + 1. | 2x + 1
The answer is $1,234.50. | 1,234.50
The answer is 12 m/s^2. | 12 m/s^2
The answer is 5 × 10^8. | 5 × 10^8
The answer is -7/8. | -7/8
The answer is sqrt(2). | sqrt(2)
The answer is 5! | 5
The answer is 3.14. | 3.14
The answer is 12 apples. | 12
The answer is 12. This is because 3*4 = 12. | 12
Answer: 12 (since 3*4 = 12) | 12
The answer is 12 - 5 = 7. | 7
The answer is 12; that is all, 5 more than 7. | 12
The answer is 12 because 3 * 4 = 12. | 12
The answer is C. | C
The answer is (B). | B
The answer is **(D)** | D
The answer is option A. | A
Answer: C) 15 | C
The answer is Evelyn. | Evelyn
The answer is: **Yes**. | Yes
The answer is $\frac{1}{2}$. | \frac{1}{2}
The answer is $x=4$ or $x=-4$. | 4, -4
The final answer is $5\sqrt{3}$ cm. | 5\sqrt{3}\text{ cm}
**Answer:** 42 | 42
**Final Answer:** The total is 48 (2 dozen × 2). | 48
### Answer⏎42 | 42
## Final Answer⏎⏎**42** | 42
Final answer:⏎$$\frac{3}{8}$$ | \frac{3}{8}
#### 72 | 72
#### -5 | -5
#### 1,000 | 1,000
#### Step 3 | None
#### Evelyn | Evelyn
#### Answer: 44 | 44
#### $5.50 | 5.50
She has 3.⏎#### 3⏎ | 3
<think>x \boxed{5}</think> \boxed{6} | 6
Maybe \boxed{5}.</think> The answer is 6. | 6
<think>never closed \boxed{5} | None
<think>a</think>⏎<answer>7</answer> | 7
\boxed{5} | 5
\boxed{\boxed{5}} | 5
So $x = \boxed{4}$ or $x = \boxed{-4}$. | 4, -4
The answer is \boxed{\frac{1}{2}}. I hope it is correct. | \frac{1}{2}
\boxed{3}. Wait, I made a mistake. The answer is 4. | 4
Step 1: | None
Step 12 | None
**Step 3:** | None
### Step 4 | None
Step 2: so 5 + 3 = 8. | 8
Step 1: compute⏎Step 2: | None
The value is 2^10 = 1024. | 1024
Therefore x = 5. | 5
She pays 5 dollars. | 5\text{ dollars}
There are 24 in total (12 on each side). | 24
So the area is 6π. | 6π
The answer is 8:30 AM. | 8:30 AM
The answer is 8:30 p.m. on Monday. | 8:30 PM
The meeting is at 8:30 pm. | 8:30 PM
The answer is approximately 3.5. | 3.5
The answer is therefore 12. | 12
Therefore the answer is −3. | -3
The answer is –3. | -3
The answer is 3–5. | 3–5
The answer is 2516_8. | 2516_8
The answer is $2516_8$. | 2516_8
The answer is 1e-5. | 1e-5
The answer is 3 + 4i. | 3 + 4i
The answer is \sqrt{2} + 1. | \sqrt{2} + 1
The answer is \dfrac{1}{2}, which is 0.5. | \dfrac{1}{2}
The answer is 25 percent. | 25\%
The answer is 4 and 9. | 4 and 9
The answers are 4, 9, and 16. | 4, 9, and 16
The answer is \{1, 2\}. | \{1, 2\}
The answer is a = 3, b = 4. | a = 3, b = 4
The answer is 1,234,567. | 1,234,567
The answer to the question is 42. | 42
The answer is x > 3. | x > 3
The answer is 0.5 (or 1/2). | 0.5
\[⏎x = 5⏎\] | 5
\[\boxed{7}\] | 7
The result is \[ \frac{3}{8}. \] | \frac{3}{8}
We get⏎\begin{align*}⏎x &= 2 + 3 \\⏎&= 5⏎\end{align*} | 5
The answer is: 5⏎⏎Let me double check: 2 + 3 = 5. | 5
So Tom has 17 pens. | 17
The probability is 1/6. | 1/6
He pays $15 and she pays $20. | 20
Answer = 12 | 12
ANSWER: 12 | 12
The answer is not 5 but 6. | 6
The correct answer is therefore (B) 12. | B
Hence \fbox{9}. | 9
The answer is $12$ since $3 \cdot 4 = 12$. | 12
The answer is 1 000 000. | 1 000 000
Answer: x = 3, y = 4 | x = 3, y = 4
The answer is 3/4 of the cake. | 3/4
The answer is €5. | €5
The answer is 5 €. | 5 €
So there are $\binom{5}{2} = 10$ ways. | 10
The answer is $\binom{5}{2} = 10$. | 10
The answer is $(x+1)(x-2)$. | (x+1)(x-2)
The answer is 45°. | 45°
The answer is 45^\circ. | 45^\circ
The answer is $\{1, 2\}$. | \{1, 2\}
The answer is {x : x > 3}. | {x : x > 3}
The answer is \begin{pmatrix} 1 \\ 2 \end{pmatrix}. | \begin{pmatrix} 1 \\ 2 \end{pmatrix}
The answer is 12 square meters. | 12\text{ square meters}
The answer is $\text{Yes}$. | \text{Yes}
**Answer: B** | B
The answer is 5 or so. | 5
The answer is between 3 and 5. | 5
The answer is 16 _ | 16
The answer is 2 + 3 = 5, not 6. | 5
The answer is 100,000 people. | 100,000
The answer is no. | no
The correct option is (D). | D
The answer is No, it cannot. | No
The answer is 12! Great. | 12
So \framebox{7} | 7
Answer - 42 | 42
So <answer>42 | 42
The answer is 1011 in base 2. | 1011_{2}
The answer is 0.\overline{3}. | 0.\overline{3}
The answer is 12,\! 345. | 12,\! 345
The answer is 12{,}345. | 12{,}345
The answer is 3 hours and 20 minutes. | 3\text{ hours and 20 minutes}
The answer is 5 feet 6 inches. | 5\text{ feet 6 inches}
The answer is 42\\ | 42
3 + 4 = 7⏎2. | 7
Answer: m+n = 256+37 = 293 | 293
So \boxed{5}, in \boxed{} as asked. | 5
We see $<$ and 5 | 5
So she has 762 M&Ms. | 762
He has 5 T-shirts. | 5
It took 3 X-rays, so the answer is 3 X-rays. | 3
The answer is x-y. | x-y
The answer is 12 km/h. | 12\text{ km/h}
Hence it runs 9.8 m/s^2. | 9.8 m/s^2
Thus x=5.⏎⏎(Answer by ChatGPT-4) | 5
Final answer: \boxed{} | None
The answer is 5 remainder 2. | 5\text{ remainder 2}
The answer is 0.333... | 0.333\dots
"""


@pytest.mark.parametrize("case", CASES.strip().splitlines())
def test_extraction(case: str) -> None:
    text, _, answer = case.rpartition(" | ")
    assert str(extract_answer(text.replace("⏎", "\n"))) == answer


@given(st.text(alphabet="$\\\\boxed{}()[]# answer is123.*`<think>/\n", max_size=200))
def test_any_text_has_an_answer_or_none(text: str) -> None:
    answer = extract_answer(text)
    assert answer is None or answer.strip() == answer != ""


def _seconds(text: str) -> float:
    begin = time.process_time()
    extract_answer(text)
    return time.process_time() - begin


@pytest.mark.parametrize(
    "part",
    [
        "\\boxed{", "\\boxed{\\frac{1}{2}, ", "\\boxed{1}, ", "$a ", "$$\n\n1", "**a",
        "answer is \\[",
        "The answer is ", "#### \n", "**", "-", "<think>", "1,", "(a ", "\\(1", "answer to ",
    ],
)  # fmt: skip
def test_linear_time(part: str) -> None:
    """Ten times the text takes about ten times as long; a square would be a hundred times."""
    short, long = (min(_seconds(part * count) for _ in range(3)) for count in (2_000, 20_000))
    assert long < 40 * short + 0.5
