"""What a step is for: positives, and the negatives that look like them."""

from __future__ import annotations

import pytest

from grind.core.plan import StepClass
from grind.workflows.classify import classify_run

DEPLOY = """
nixos-rebuild switch --flake .#host --target-host root@h
sudo nixos-rebuild boot --flake .
/run/current-system/bin/switch-to-configuration test
nix run github:serokell/deploy-rs -- .#host
nix run .#deploy
nix run nixpkgs#colmena -- apply
nix develop --command colmena apply --on web
deploy .#host
kubectl apply -f k8s/
kubectl -n prod rollout restart deployment/x
kustomize build . | kubectl apply -f -
helm upgrade --install x ./chart
terraform apply -auto-approve
terraform -chdir=infra destroy
pulumi up --yes
docker push ghcr.io/o/i:1
docker buildx build --push -t x .
docker build -t x . && docker push x
npm publish --access public
yarn npm publish
pnpm -r publish
npx lerna publish
npx semantic-release
cargo publish
cargo +stable publish -p x
cargo release --execute
python -m twine upload dist/*
uv publish
poetry publish --build
gem push x.gem
goreleaser release --clean
gh release create v1 dist/*
gh release upload v1 x
gh workflow run deploy.yml
gh api -X POST repos/o/r/dispatches
git push
git push origin HEAD:gh-pages --force
git -c user.name=x push
ssh root@host systemctl restart app
scp x host:/srv
rsync -az ./site/ user@host:/var/www
aws s3 sync ./x s3://bucket
aws ecs update-service --cluster c
gcloud run deploy x
az webapp up
flyctl deploy --remote-only
vercel --prod
netlify deploy --prod
wrangler deploy
npx wrangler pages deploy dist
yarn wrangler deploy
heroku container:release web
firebase deploy
mvn -B deploy
./gradlew publish
./mvnw release:perform
dotnet nuget push x.nupkg
mkdocs gh-deploy --force
make deploy
make -C infra deploy-test
npm run deploy
npm run release
just deploy prod
./scripts/deploy.sh prod
bash scripts/publish.sh
python scripts/release.py
./scripts/build-and-deploy.sh
ansible-playbook -i hosts site.yml
curl -X POST https://api.example.com/v1/deploys
curl https://api.render.com/deploy/srv-1?key=x
echo "$(kubectl apply -f x)"
echo "notes: `./rollback.sh`" >> $GITHUB_STEP_SUMMARY
if [ "$X" = y ]; then kubectl delete pod x; fi
for h in a b; do ssh $h true; done
KUBECTL='kubectl --context prod'; $KUBECTL apply -f x
retry() { "$@" || "$@"; }; retry terraform apply
$GUARD gh release create v1
bash -c "cd x && npm publish"
cat cmds | xargs -I{} gh pr close {}
nix copy --to ssh://host ./result
cachix push cache ./result
modal deploy app.py
kubectl apply --dry-run=none -f x
( unclosed; kubectl apply
"""

NOT_DEPLOY = """
echo kubectl apply
# kubectl apply
echo "run ./deploy.sh by hand"
cat > notes <<'E'; true
git commit -m "deploy"
git fetch origin deploy
git checkout release
grep -r deploy .
mkdir -p deploy && cd deploy && ls
cp -r dist deploy/
shellcheck scripts/deploy.sh
pytest tests/test_deploy.py
ruff check deploy/
cargo build --release
cargo test --release
cargo publish --dry-run
npm publish --dry-run
npm run deploy:check
npm run build:release
npm run test:deploy
make release-notes
make check-release
make test-deploy
./gradlew assembleRelease
./gradlew testReleaseUnitTest
./gradlew publishToMavenLocal
dotnet publish -c Release
mix release
goreleaser release --snapshot --clean
goreleaser build
goreleaser check
kubectl get pods -n apply
kubectl apply --dry-run=client -f x
kubectl version --client
helm template . | kubectl diff -f -
helm lint chart
terraform plan
terraform validate
terraform fmt -check
nixos-rebuild build --flake .#x
nixos-rebuild dry-activate
nix build .#nixosConfigurations.x.config.system.build.toplevel
nix flake check
docker build -t x .
docker run --rm x push
gh pr view 1
gh release view v1
gh release download v1
gh api repos/o/r
twine check dist/*
python -m build
git push --dry-run
curl -fsS https://example.com/x -o x
curl -X POST http://localhost:8080/x
curl -d a=b 127.0.0.1:3000
aws s3 cp s3://bucket/x .
aws sts get-caller-identity
aws --endpoint-url http://localhost:4566 s3 mb s3://x
ssh-keygen -t ed25519 -f k -N ''
ssh -V
rsync -a a/ b/
vercel build
wrangler dev
npx semantic-release --dry-run
ansible-playbook --syntax-check site.yml
node scripts/detect-release.ts
uvx nox -s test-rust -- release
composer validate --no-check-publish
python deploy/tests.py --help
"""

PROVISION = """
sudo apt-get install -y jq
sudo make install
apt-get update && apt-get install -y git
dnf install -y gcc
apk add bash
brew install x
snap install x
pacman -S x
nix-env -iA nixpkgs.jq
nix profile install nixpkgs#jq
systemctl start docker
service postgresql start
echo x > /etc/hosts
cat x | tee /etc/y
cp x /usr/local/bin/
install -m 755 x /usr/bin/x
mv x /opt/x
mkdir -p /data
ln -s a /usr/lib/a
chmod 777 /var/lib/x
curl -L https://x/y -o /usr/local/bin/y
curl -sSf https://sh.rustup.rs | sh -s -- -y
curl -fsSL https://get.docker.com | sh
curl https://x/install.sh | sudo bash
sh <(curl -L https://nixos.org/nix/install) --daemon
rustup toolchain install nightly
rustup update stable
rustup target add wasm32-unknown-unknown
rustup component add clippy
rustup default nightly
docker compose up -d
docker run -d -p 5432:5432 postgres
docker system prune -af
usermod -aG docker me
npx playwright install --with-deps
add-apt-repository ppa:x/y
tar xzf x.tgz -C /usr/local
mkfs.ext4 /dev/x
reboot
"""

CHECK = """
pytest -q
pip install -r requirements.txt
pip install --break-system-packages x
pipx install x
npm ci
npm install -g typescript
yarn install --frozen-lockfile
cargo install cargo-nextest
go install ./...
gem install x
bundle install
composer install
uv pip install --system x
uv sync
echo x > out.txt
echo x >> $GITHUB_OUTPUT
echo x > /tmp/y
echo x > /dev/null
mkdir -p ~/.config
mkdir -p $HOME/.ssh
cp x $RUNNER_TEMP/
cp /etc/hosts .
tar xzf x.tgz -C out
systemctl --version
rustup show
rustup --version
rustup run nightly cargo test
dpkg -l
docker run --rm -v $PWD:/src x make test
curl -LsSf https://astral.sh/uv/install.sh | sh
npx playwright install chromium
go test ./...
cargo clippy -- -D warnings
make test
cargo test && cargo build
npm run lint
nix flake check
./run.sh
"""

BUILD = """
make
make -j4 all
cargo build --release
npm run build
npm ci && npm run build
go build ./...
docker build -t x .
nix build .#x
python -m build
mvn package
./gradlew build
cmake --build build
tsup
hugo --minify
"""

E2E = """
npx playwright test
yarn playwright test
npx cypress run
npm run e2e
npm run test:e2e
make e2e
./scripts/run-e2e.sh
"""

NOTIFY = """
gh pr comment 1 --body x
gh issue comment 1 -b x
curl -X POST -d '{}' https://hooks.slack.com/services/x
curl -d x "$SLACK_WEBHOOK_URL"
curl -H x -d y https://discord.com/api/webhooks/1
mail -s x a@b < body
echo hi >> $GITHUB_STEP_SUMMARY
cat report.md > "$GITHUB_STEP_SUMMARY"
node scripts/announce.mjs
"""


def rows(text: str) -> list[str]:
    return [line for line in text.strip().splitlines() if line]


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (klass, row)
        for klass, table in (
            (StepClass.DEPLOY, DEPLOY),
            (StepClass.PROVISION, PROVISION),
            (StepClass.CHECK, CHECK),
            (StepClass.BUILD, BUILD),
            (StepClass.E2E, E2E),
            (StepClass.NOTIFY, NOTIFY),
        )
        for row in rows(table)
    ],
)
def test_class(expected: StepClass, text: str) -> None:
    assert classify_run("", text, "").klass is expected


@pytest.mark.parametrize("text", rows(NOT_DEPLOY))
def test_looks_like_a_deploy(text: str) -> None:
    assert classify_run("", text, "").klass is not StepClass.DEPLOY


def test_heredoc_text_is_text() -> None:
    text = "cat > x <<'E'\nkubectl apply -f y\nsudo reboot\nE\n"
    assert classify_run("", text).klass is StepClass.CHECK


def test_heredoc_into_a_shell_runs() -> None:
    assert classify_run("", "cat <<'E' | bash\nkubectl apply -f y\nE\n").klass is StepClass.DEPLOY
    assert classify_run("", "bash -s <<'E'\nkubectl apply -f y\nE\n").klass is StepClass.DEPLOY


def test_backticks_in_a_message_run() -> None:
    """F2: the notes step executed a rollback and a restart."""
    text = 'gh release view v1\necho "use `nixos-rebuild switch --rollback`" >> notes\n'
    found = classify_run("Publish rollback notes", text)
    assert found.klass is StepClass.DEPLOY
    assert found.line == 1
    assert "(line 2)" in found.reason


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Deploy to production", "./scripts/go.sh prod", StepClass.DEPLOY),
        ("Deploy to production", "$TOOL prod", StepClass.DEPLOY),
        ("Publish", "npm run ship-it-now", StepClass.DEPLOY),
        ("Deploy check", "./scripts/go.sh", StepClass.CHECK),
        ("Release build", "./scripts/go.sh", StepClass.CHECK),
        ("Deploy", "mkdir -p x", StepClass.CHECK),
        ("Test deployment", "./scripts/go.sh", StepClass.CHECK),
    ],
)
def test_the_name_counts_where_the_text_is_closed(
    name: str, text: str, expected: StepClass
) -> None:
    assert classify_run(name, text).klass is expected


@pytest.mark.parametrize("shell", ["python", "pwsh", "node {0}"])
def test_other_languages_are_searched(shell: str) -> None:
    text = 'subprocess.run(["kubectl", "apply", "-f", "x"])'
    assert classify_run("", text, shell).klass is StepClass.DEPLOY
    assert classify_run("", "print('hello')", shell).klass is StepClass.CHECK


def test_provision_says_what_else_it_does() -> None:
    alone = classify_run("", "sudo apt-get update\nsudo apt-get install -y jq\necho done")
    assert alone.rest == ()
    assert [p.argv[:2] for p in alone.provides] == [("apt-get", "update"), ("apt-get", "install")]
    mixed = classify_run("", "sudo apt-get install -y jq && make test")
    assert mixed.klass is StepClass.PROVISION
    assert mixed.rest == ("make test (line 1)",)


def test_a_summary_with_an_output_is_no_notice() -> None:
    text = "echo a >> $GITHUB_STEP_SUMMARY\necho b=c >> $GITHUB_OUTPUT\n"
    assert classify_run("", text).klass is not StepClass.NOTIFY


@pytest.mark.parametrize(
    "text",
    ["ci/ubuntu-install-packages", "bash ./scripts/install_system_deps.sh", "./ci/install-apt.sh"],
)
def test_a_script_that_installs_packages_is_told_by_its_name(text: str) -> None:
    """Seen in BurntSushi/ripgrep: it calls `sudo apt-get install`, and no text of the workflow says so."""
    assert classify_run("Install packages (Ubuntu)", text).klass is StepClass.PROVISION


@pytest.mark.parametrize("text", ["./install.sh", "ci/test-packages", "bash ci/check-install.sh"])
def test_other_scripts_are_not(text: str) -> None:
    assert classify_run("Check", text).klass is not StepClass.PROVISION
