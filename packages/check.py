"""Checks the Kubernetes manifest, the Compose file and the Containerfile; run by `cargo xtask packages`.

    check.py BINARY

Kubernetes' objects are validated against the schemas of its versions, the Compose file by a strict parser of the
specification. Then, what no schema knows: names that refer to each other, and command lines that our own binary reads.
Ends with 1 and says why at the first thing that is wrong.
"""

import json
import pathlib
import re
import shlex
import subprocess
import sys

import compose_spec
import kubernetes_validate
import yaml

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
# The oldest with what the manifest uses, and the newest that there are schemas for.
KUBERNETES = ["1.30", "1.37"]
# Made by whoever installs, as the head of the manifest says.
MADE_BY_HAND = {"hitherto-redis", "hitherto-tls"}


def expect(true, what):
    if not true:
        sys.exit(f"not so: {what}")


def reads(binary, words, where):
    """Our own command line reads these words. `--help` comes last, so that all before it are read and nothing runs."""
    done = subprocess.run([binary, *words, "--help"], capture_output=True, text=True)
    expect(done.returncode == 0, f"{where}: hitherto {shlex.join(words)}\n{done.stderr}")


def kubernetes(binary):
    text = (HERE / "kubernetes.yaml").read_text()
    objects = list(yaml.safe_load_all(text))
    for version in KUBERNETES:
        for found in objects:
            kubernetes_validate.validate(found, version, strict=True)
    by_kind = {found["kind"]: found for found in objects}
    expect(len(by_kind) == len(objects), "there is one object of each kind")
    expect({found["metadata"]["namespace"] for found in objects} == {"hitherto"}, "all are in one namespace")

    pod = by_kind["Deployment"]["spec"]["template"]
    labels = pod["metadata"]["labels"].items()
    selectors = [
        by_kind["Deployment"]["spec"]["selector"]["matchLabels"],
        by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        by_kind["Service"]["spec"]["selector"],
        by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ]
    expect(all(selector.items() <= labels for selector in selectors), "every selector selects the pods")
    expect(by_kind["PodDisruptionBudget"]["spec"]["minAvailable"] < by_kind["Deployment"]["spec"]["replicas"],
           "a node can be drained")
    expect(pod["spec"]["serviceAccountName"] == by_kind["ServiceAccount"]["metadata"]["name"], "the account is there")

    [container] = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    wanted = [port["targetPort"] for port in by_kind["Service"]["spec"]["ports"]]
    wanted += [container[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
    wanted += [port["port"] for rule in by_kind["NetworkPolicy"]["spec"]["ingress"] for port in rule["ports"]]
    expect(set(wanted) <= set(ports), f"every port has a name of {sorted(ports)}: {wanted}")

    variables = by_kind["ConfigMap"]["data"]
    for option, name in [("HITHERTO_LISTEN", "https"), ("HITHERTO_RESP_LISTEN", "rediss"),
                         ("HITHERTO_METRICS_LISTEN", "metrics")]:
        expect(variables[option].endswith(f":{ports[name]}"), f"{option} is the port {name}")
    [mount] = container["volumeMounts"]
    [volume] = pod["spec"]["volumes"]
    expect(mount["name"] == volume["name"], "what is mounted is there")
    for option in ("HITHERTO_TLS_CERTIFICATE", "HITHERTO_TLS_KEY"):
        expect(variables[option].startswith(mount["mountPath"] + "/tls."), f"{option} is in the mounted secret")
    named = {source[kind]["name"] for source in container["envFrom"] for kind in source}
    named |= {volume["secret"]["secretName"]}
    expect(named == MADE_BY_HAND | {"hitherto"}, f"every name is explained: {named}")
    expect(all(name in text.split("apiVersion", 1)[0] for name in MADE_BY_HAND), "the head says how to make the secrets")
    reads(binary, container["args"], "kubernetes.yaml")
    return container["image"]


def compose(binary):
    text = (HERE / "compose.yaml").read_text()
    compose_spec.PyCompose.from_yaml(text).validate()
    found = yaml.safe_load(text)
    ours, redis = found["services"]["hitherto"], found["services"]["redis"]
    for service in (ours, redis):
        for secret in service["secrets"]:
            expect(secret in found["secrets"], f"there is a secret {secret}")
            made = found["secrets"][secret]["file"].removeprefix("./")
            expect(f"> {made}" in text, f"the head says how to make {made}")
    context = (HERE / ours["build"]["context"]).resolve()
    expect((context / ours["build"]["dockerfile"]).is_file(), "the Containerfile is where the Compose file looks")
    expect("--appendonly yes" in " ".join(redis["command"]) and "noeviction" in redis["command"], "Redis keeps all")
    reads(binary, ours["command"], "compose.yaml")
    kind, program, *words = ours["healthcheck"]["test"]
    expect((kind, program) == ("CMD", "hitherto"), "the health check is ours")
    reads(binary, words, "compose.yaml")
    return ours["image"]


def container(binary):
    text = (HERE / "Containerfile").read_text()
    lines = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", text)).splitlines()
    steps = [line.split(None, 1) for line in lines if line.strip()]
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    expect({step for step, _ in steps} <= known, "every instruction is one that builders know")
    expect(steps[0][0] == "FROM", "it begins with FROM")
    stages = [words.split(" AS ")[1] for step, words in steps if step == "FROM" and " AS " in words]
    last = max(index for index, (step, _) in enumerate(steps) if step == "FROM")
    for step, words in steps:
        if step != "COPY":
            continue
        *sources, _ = words.split()
        if sources[0].startswith("--from="):
            expect(sources[0].removeprefix("--from=") in stages, f"the stage of COPY {words} is there")
            continue
        for source in sources:
            expect((ROOT / source).exists(), f"{source}, which is copied, is there")
    final = dict(steps[last:])
    expect(final["USER"].split(":")[0] not in ("root", "0"), "it does not run as root")
    expect(json.loads(final["ENTRYPOINT"]) == ["hitherto"], "the binary is what is started")
    reads(binary, json.loads(final["CMD"]), "Containerfile")
    program, *words = json.loads(final["HEALTHCHECK"].split("CMD", 1)[1])
    expect(program == "hitherto", "the health check is ours")
    reads(binary, words, "Containerfile")
    rust = re.search(r'rust-version = "([0-9.]+)"', (ROOT / "Cargo.toml").read_text()).group(1)
    expect(f"rust:{rust}-" in text, f"it is built with Rust {rust}")


def variables():
    """Every variable that the packages name is an option's."""
    options = (ROOT / "docs/settings.md").read_text()
    for path in sorted(HERE.rglob("*")):
        if path.is_file() and path.suffix != ".py":
            for name in set(re.findall(r"HITHERTO_[A-Z_]+", path.read_text())):
                expect(f"`{name}`" in options, f"{path.name}: {name} is in docs/settings.md")


def main():
    binary = sys.argv[1]
    version = re.search(r'(?m)^version = "([^"]+)"', (ROOT / "Cargo.toml").read_text()).group(1)
    images = {kubernetes(binary), compose(binary)}
    expect(images == {f"hitherto:{version}"}, f"the images are of version {version}: {images}")
    container(binary)
    variables()
    print(f"valid: kubernetes.yaml (Kubernetes {' and '.join(KUBERNETES)}), compose.yaml, Containerfile")


main()
