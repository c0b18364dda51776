# SPDX-License-Identifier: Apache-2.0
#
# The usual targets; what they do is in .ci/run, so that CI and people run the same.

.PHONY: help build test demo soak clean

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile

build: ## install what is missing, build tests, weftd and weft
	@.ci/run install build

test: ## all checks and tests; the last line counts them
	@.ci/run install format bpf build test sanitize fuzz bench

demo: ## two hosts with two containers each, on this machine
	@.ci/run install demo

soak: ## make test with full counts: 100 MB each way, 10 million hostile frames
	@WEFT_SOAK=1 .ci/run install format bpf build test sanitize fuzz hostile bench

clean: ## remove everything that was built
	rm -rf .build .build-asan .build-bench .build-fuzz .build-soak .build-stamps .build-tsan
