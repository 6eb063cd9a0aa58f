"""Which test commands select tests by name."""

from __future__ import annotations

import pytest

from grind.workflows.testfilter import is_filtered_test

FILTERED = """
cargo test parse
cargo test --test cli parse
cargo test -p x parse -- --nocapture
cargo test -- parse
cargo test -- --exact mod::parse
cargo +nightly test parse
cargo nextest run parse
cargo nextest run -E 'test(parse)'
cargo t parse
pytest -k parse
pytest -kparse
pytest tests/test_a.py::test_b
pytest -m integration
python -m pytest -q tests/a.py::B::c
uv run pytest -k x
python -m unittest tests.test_a.B
go test -run TestParse ./...
go test -run=TestParse ./...
go test ./... -v -run 'Test(A|B)'
npx jest -t parse
jest --testNamePattern=parse
vitest run -t parse
vitest run parse
npx mocha --grep parse
node --test --test-name-pattern=parse
node --test --test-name-pattern parse
deno test --filter parse
bun test -t parse
rspec spec/a_spec.rb:12
rspec -e parse
ctest -R parse
phpunit --filter parse
mvn test -Dtest=ParseTest
./gradlew test --tests ParseTest
dotnet test --filter Name=x
swift test --filter x
npm test -- -t parse
tox -e py -- -k parse
npx playwright test -g login
bash -c 'cargo test parse'
nix develop --command cargo test parse
"""

WHOLE = """
cargo test
cargo test --workspace --all-features
cargo test -p x --features a,b --target t
cargo test --test cli
cargo test --lib
cargo test -- --nocapture --test-threads 1
cargo test -- --skip slow
cargo nextest run --profile ci
cargo build parse
pytest
pytest tests/ -q -n 4
pytest tests/test_a.py
pytest -m "not slow"
python -m unittest
python -m unittest discover -s tests
go test ./...
go test -v -race -count=1 ./...
go test -run='^$' -bench=. ./...
go build -run x
jest --coverage
vitest run --coverage
mocha test/*.js
node --test
node --test tests/
deno test -A
bun test
npm test
npm test -- --coverage
rspec
ctest --output-on-failure
phpunit
mvn test
./gradlew test
dotnet test
make test
echo "cargo test parse"
"""


@pytest.mark.parametrize("text", FILTERED.strip().splitlines())
def test_filtered(text: str) -> None:
    assert is_filtered_test(text)


@pytest.mark.parametrize("text", WHOLE.strip().splitlines())
def test_whole(text: str) -> None:
    assert not is_filtered_test(text)
