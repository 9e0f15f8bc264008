"""Which answers are equal, which are not, and which cannot be told."""

import pytest

from genprm.answer import AnswerChecker, Match
from genprm.answer.compare import compare
from genprm.answer.reading import read_answer

CASES = r"""
3 \pm 2 \sqrt{2} | 3 + 2\sqrt{2}, 3 - 2\sqrt{2} | equal
\{1\pm\sqrt{5},-2\} | -2, 1-\sqrt5, 1+\sqrt5 | equal
\pm 4 | 4, -4 | equal
x = \pm 4 | -4 and 4 | equal
4210_{5} | 4210 | undecided
2516_8 | 2516_{8} | equal
\frac{1}{3} | 0.333333 | different
\frac{1}{3} | 0.\overline{3} | equal
0.33 | 33\% | equal
33 | 33% | equal
5\text{ m} | 500 cm | equal
5\text{ m} | 5 | equal
9\pi \text{ cm}^2 | 9\pi | equal
9\pi \text{ cm}^2 | 9\pi \text{ m}^2 | different
60 mph | 60 miles per hour | equal
(1,2) | [1,2] | different
(1,2] | (1, 2] | equal
[0, 1) | \left[0,1\right) | equal
(-\infty, 3] | (-∞, 3] | equal
\{1,2,3\} | {3, 2, 1} | equal
\{-1, 1, 1\} | \{-1, 1\} | equal
(1,2) | (2,1) | different
1, 2 | 2 and 1 | equal
1,2,3 | 1,2,4 | different
x=5 | 5 | equal
y = 2x+1 | 2x+1 | equal
x^2+2x+1 | (x+1)^2 | equal
A | (A) | equal
A | B | different
B | \textbf{(B)}\ 12 | equal
12 | \textbf{(B)}\ 12 | equal
\text{Evelyn} | evelyn | equal
yes | No | different
8:30 | 8:30 PM | undecided
14:30 | 2:30 PM | equal
12:00 | 1:00 | different
12:00 PM | 12:00 AM | different
3:2 | 6:4 | undecided
1000000 | 10^6 | equal
1,000,000 | 1 million | equal
\$1.50 | 1.50 dollars | equal
\$1.50 | 150 cents | equal
18 | $18$ dollars | equal
18 | 18 apples | equal
18 apples | 18 pears | undecided
18 apples | 17 pears | different
2\sqrt{2} | \sqrt{8} | equal
\sqrt{2} | 1.41421356 | different
\frac{\sqrt{2}}{2^{80}} | \frac{\sqrt{2}}{2^{79}} | different
\pi | 3.14159 | different
\frac{\pi}{3} | π/3 | equal
1+2i | 2i+1 | equal
\frac{3}{4} | 3/4 | equal
\frac34 | 0.75 | equal
2\frac{1}{2} | 2.5 | equal
2½ | 5/2 | equal
-\frac{1}{2} | \frac{-1}{2} | equal
10^{-18} | 0.000000000000000001 | equal
1.5\times10^{-3} | 0.0015 | equal
6.02e23 | 6.02 \times 10^{23} | equal
99999999999999999999999 | 99999999999999999999998 | different
100! | 101! | different
\begin{pmatrix} 1 \\ 2 \end{pmatrix} | \begin{pmatrix} 1 \\ 2 \end{pmatrix} | equal
\begin{pmatrix} 1/5 \\ -3 \end{pmatrix} | \begin{pmatrix} \frac{1}{5} \\ -3 \end{pmatrix} | equal
\begin{pmatrix} 1 \\ 2 \end{pmatrix} | \begin{bmatrix} 1 \\ 2 \end{bmatrix} | equal
\begin{pmatrix} 1 \\ 2 \end{pmatrix} | \begin{pmatrix} 1 \\ 3 \end{pmatrix} | different
x \le 3 | 3 \ge x | equal
x < 3 | x \le 3 | different
60^\circ | 60 degrees | equal
60^\circ | 60 | equal
\emptyset | {} | equal
\infty | infinity | equal
5 | **5** | equal
5 | `5` | equal
5 | 5. | equal
5 | 5.0 | equal
5 | five | equal
7.5 hours | 7 hours 30 minutes | equal
5 feet 6 inches | 66 inches | equal
2x + 3y | 3y + 2x | equal
\frac{x}{2} | x/2 | equal
\text{(A), (C)} | C, A | equal
A and C | C, A | equal
A, C | A | different
\$32,348 | 32348 | equal
2^{100} | 2^{101} | different
2^{1000000} | 2^{1000001} | different
(3, \frac{\pi}{2}) | (3, π/2) | equal
x=1, y=2 | (1, 2) | equal
x=1, y=2 | x=2, y=1 | different
\text{no solution} | 5 | different
50\% | \frac{1}{2} | equal
50\% | 50 percent | equal
25 \text{ students} | 25 | equal
12 km/h | 12 km | different
0 | -0 | equal
3.0 | 3.00 | equal
1/7 | 0.142857 | different
2 \text{ and } 3 | 2, 3 | equal
6 | Milk (4 packets): | undecided
x \in [0,1] | [0,1] | equal
11:00 a.m. | 11:00 AM | equal
ABCD | DCBA | different
\text{even} | \text{odd} | different
\frac{1}{2}x | 0.5x | equal
10 \text{ or } 12 | 12 \text{ or } 10 | equal
5.00 | $5 | equal
101_2 | 5 | undecided
101_2 | 11_2 | different
1e400 | 10^{400} | equal
\sqrt[3]{27} | 3 | equal
-3 | −3 | equal
\log_2 8 | 3 | equal
\dfrac{7}{2} \text{ units} | 3.5 | equal
noon | 12:00 PM | equal
noon | midnight | different
x<2 or x>3 | (-\infty,2)\cup(3,\infty) | undecided
y=2x+1 | 2x-y+1=0 | equal
A | a | undecided
AC | A, C | undecided
A | Option A | equal
A | the answer is A | equal
\sin 30^\circ | 1/2 | equal
2a | 2A | undecided
7 | seven dollars | equal
7 : 3 | 7:3 | equal
7 to 3 | 7:3 | equal
0.(3) | 1/3 | equal
0.(3) | 0 | different
1/4 | 1 out of 4 | undecided
2019-05-01 | 2013 | different
May 5 | 5 May | equal
\frac{1}{2}x | \frac{x}{2} | equal
2x | x*2 | equal
5x | 5 | different
2xy | 2 | different
2 pi | 2 | different
3 \pmod 7 | 3 | undecided
> 5 | >5 | equal
12:30 AM | 00:30 | equal
8:30 PM | 8.30 pm | equal
\sqrt{2} | sqrt2 | equal
5 more than x | 5 | undecided
3 tenths | 3 | undecided
0.3 | 3 tenths | undecided
2/3 | two thirds | equal
5.5 | 5 and a half | equal
$5/hour | 5 | equal
100 °C | 100 degrees Celsius | equal
x⁻¹ | 1/x | equal
x₁ | x_1 | equal
\mathbb{R} | (-\infty,\infty) | equal
Alice and Bob | Bob and Alice | equal
e^x | exp(x) | equal
\ln(x) | log(x) | undecided
\sum_{k=1}^{n} k | \frac{n(n+1)}{2} | equal
\sqrt{-1} | i | equal
\overline{AB} | AB | equal
3:20 | 3 hours 20 minutes | undecided
10:15 | 10:15:00 | undecided
-\sqrt{3} | 4 \sin 80^\circ - \tan 80^\circ | equal
9\pi | 9\pi\text{ square units} | equal
1/0 | \infty | undecided
255 | 255 in base 10 | equal
12345 | 12,\! 345 | equal
3000 | 3k | undecided
74 inches | 6'2" | undecided
16 | 0x10 | undecided
10 | 5C2 | undecided
10 | C(5,2) | undecided
20 | P(5,2) | undecided
-1 | e^{i\pi} | equal
\frac{1}{3} | 0.333\dots | undecided
5 | 5 \text{ remainder } 2 | undecided
5 R 2 | 5 \text{ remainder } 2 | undecided
12 km/h | 12\text{ km/h.} | equal
"""


def cases() -> list[tuple[str, str, str]]:
    rows = [line.split(" | ") for line in CASES.strip().splitlines()]
    return [(gold, answer, match) for gold, answer, match in rows]


def test_comparison() -> None:
    with AnswerChecker(timeout=20.0) as checker:
        found = [(g, a, str(checker.compare(g, a))) for g, a, _ in cases()]
    assert found == cases()


def test_equality_goes_both_ways() -> None:
    """Where both are read exactly; a formula needs the worker."""
    for gold, answer, _ in cases():
        one, other = read_answer(gold), read_answer(answer)
        assert compare(one, other) == compare(other, one), (gold, answer)


@pytest.mark.parametrize(
    "answers",
    [
        ["15\\%", "15", "0.15"],
        ["5 cm", "5", "5 m", "500 cm"],
        ["50%", "0.5", r"\frac{1}{2}", "50"],
        ["8:30", "8:30 AM", "8:30 PM"],
        ["(C) 15", "C", "15"],
    ],
)
def test_groups_do_not_depend_on_the_order(answers: list[str]) -> None:
    with AnswerChecker() as checker:
        partitions = set()
        for turn in range(len(answers)):
            turned = answers[turn:] + answers[:turn]
            groups: dict[int | None, set[str]] = {}
            for answer, group in zip(turned, checker.classes(turned), strict=True):
                groups.setdefault(group, set()).add(answer)
            partitions.add(frozenset(map(frozenset, groups.values())))
    assert len(partitions) == 1


def test_an_unread_spelling_is_undecided_with_its_cause() -> None:
    with AnswerChecker() as checker:
        assert checker.compare("6", "Milk (4 packets):") is Match.UNDECIDED
        (pair,) = checker.undecided
    assert pair.cause
