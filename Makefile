# make run     start everything and print the address        make test    run all tests
# make check   linters, types, import contracts, settings     make lock    pin the newest versions that pyproject allows
# make clean   remove the environment and the caches; var/, where your clips and database are, stays

HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 1
READY := .venv/.ready
BIN := .venv/bin

# make labelstudio PROJECT="Night Train"    run a Label Studio of our own and link that project to it
PROJECT ?=
LS_PORT ?= 8080

.PHONY: run labelstudio test check lock clean
.DEFAULT_GOAL := run

run: $(READY)
	@$(BIN)/python manage.py up --host $(HOST) --port $(PORT) --workers $(WORKERS)

labelstudio: $(READY)
	@$(BIN)/python manage.py labelstudio --project "$(PROJECT)" --port $(LS_PORT)

test: $(READY)
	@.ci/browser
	@$(BIN)/python -m pytest $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run footage detection labeling
	SECONDSTICKS_ORIGIN=https://sticks.example.org DATABASE_URL=postgresql://nobody@127.0.0.1:9/none \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --group dev --extra ocr --universal --python-version 3.11 --upgrade --quiet \
		--generate-hashes --no-emit-index-url --custom-compile-command "make lock" --output-file requirements.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml .ci/environment
	@.ci/environment
