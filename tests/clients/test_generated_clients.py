"""Clients that generators make of the contracts: every operation is there, all compiles, every service answers it.

Run by ``make clients``: it needs the group ``clients`` and npm, and takes longer than ``make test`` allows.
"""

from __future__ import annotations

import compileall
import importlib
import importlib.resources
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from castor_devstack.testing_system import System
from tools.contracts.breaking import operations

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
READS = {
    "auth": ("auth", "getMe"),
    "forecast": ("forecast", "readShareOfVoice"),
    "openai": ("openai", "listModels"),
    "rag": ("rag", "getStatus"),
    "sentiment": ("sentiment", "describeModel"),
    "trending": ("trending", "getStatus"),
    "twitter": ("twitter", "listTweets"),
}
"""A read of each service, by its tag and its operation's id."""
UNUSUAL = {"forecast": 422}
"""Statuses other than 200: without tweets nobody has a share of voice."""
pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]


def contract(service: str) -> dict[str, Any]:
    """Return the contract of a service."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "contracts" / f"{service}-service.v1.yaml").read_text())
    return loaded


def operation_ids(service: str) -> list[str]:
    """Return the ids of all operations of a service."""
    return [operation["operationId"] for _, _, operation in operations(contract(service))]


def snake(name: str) -> str:
    """Return ``listTopics`` as ``list_topics``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def generate(*command: str) -> None:
    """Run a generator of this environment; its words become the failure."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def context_of(system: System) -> ssl.SSLContext:
    """Return a context that trusts the development authority."""
    return ssl.create_default_context(cafile=system.status()["ca"])


@pytest.mark.parametrize("service", READS)
def test_python_client(system: System, service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """openapi-python-client makes a function of each operation, and one of them reads from the service."""
    path = str(ROOT / "contracts" / f"{service}-service.v1.yaml")
    generate("openapi-python-client", "generate", "--path", path, "--output-path", str(tmp_path / "made"))
    package = f"{service}_service_client"
    made = sorted(each.stem for each in (tmp_path / "made" / package / "api").glob("*/*.py") if each.stem != "__init__")
    assert made == sorted(map(snake, operation_ids(service)))
    assert compileall.compile_dir(tmp_path / "made", quiet=1)
    monkeypatch.syspath_prepend(tmp_path / "made")
    client = importlib.import_module(package).AuthenticatedClient(
        base_url=system.status()["ingress"], token=system.castor("token").stdout.strip(), verify_ssl=context_of(system)
    )
    tag, read = READS[service]
    answer = importlib.import_module(f"{package}.api.{tag}.{snake(read)}").sync_detailed(client=client)
    assert answer.status_code == UNUSUAL.get(service, 200)
    assert answer.parsed.to_dict()


@pytest.mark.parametrize("service", READS)
def test_pydantic_models(system: System, service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """datamodel-code-generator makes a model of each schema, and one of them reads an answer of the service."""
    from castor_chassis.client.transport import httpx

    source = str(ROOT / "contracts" / f"{service}-service.v1.yaml")
    module = f"models_of_{service}"
    generate(
        "datamodel-codegen", "--input", source, "--input-file-type", "openapi", "--output",
        str(tmp_path / f"{module}.py"), "--output-model-type", "pydantic_v2.BaseModel", "--formatters", "builtin",
    )  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    models = importlib.import_module(module)
    status = UNUSUAL.get(service, 200)
    path, read = next(
        (path, each) for _, path, each in operations(contract(service)) if each["operationId"] == READS[service][1]
    )
    reference = read["responses"][str(status)]["content"]["application/json"]["schema"]["$ref"]
    token = system.castor("token").stdout.strip()
    with httpx.Client(verify=context_of(system), headers={"Authorization": f"Bearer {token}"}) as client:
        answer = client.get(f"{system.status()['ingress']}{path}")
    assert answer.status_code == status
    model = getattr(models, reference.rpartition("/")[2].replace("_", ""))
    assert model.model_validate_json(answer.content)


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_typescript_client(system: System, tmp_path: Path) -> None:
    """openapi-typescript types each operation, tsc compiles calls of every service, and node makes them."""
    tools = node_tools(tmp_path)
    for name in ("tsconfig.json", "call.ts"):
        shutil.copy(HERE / name, tmp_path)
    for service in READS:
        types = tmp_path / f"{service}.d.ts"
        generate(
            str(tools / "openapi-typescript"),
            str(ROOT / "contracts" / f"{service}-service.v1.yaml"),
            "--output",
            str(types),
        )
        typed = types.read_text().partition("export interface operations")[2]
        assert set(operation_ids(service)) == set(re.findall(r"^    (\w+): \{", typed, re.M))
    generate(str(tools / "tsc"), "--project", str(tmp_path))
    address = [system.status()["ingress"], system.castor("token").stdout.strip()]
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": system.status()["ca"]}
    called = subprocess.run(
        ["node", str(tmp_path / "call.js"), *address], env=environment, capture_output=True, text=True, check=False
    )
    assert called.returncode == 0, called.stderr
    assert json.loads(called.stdout) == {service: UNUSUAL.get(service, 200) for service in READS}


def node_tools(folder: Path) -> Path:
    """Install what ``package.json`` names into a folder; return where its commands are."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    generate("npm", "ci", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    return folder / "node_modules" / ".bin"


@pytest.mark.skipif(None in (shutil.which("npm"), shutil.which("java")), reason="npm or Java is not installed")
def test_openapi_generator_client(tmp_path: Path) -> None:
    """openapi-generator writes a method for fetch of each operation, and tsc compiles all of them strictly."""
    jar = str(importlib.resources.files("openapi_generator_cli") / "openapi-generator.jar")
    tools = node_tools(tmp_path)
    options = json.loads((HERE / "tsconfig.json").read_text())["compilerOptions"]
    options["lib"].append("DOM.Iterable")
    for service in READS:
        source, made = ROOT / "contracts" / f"{service}-service.v1.yaml", tmp_path / service
        command = ("java", "-jar", jar, "generate", "--generator-name", "typescript-fetch", "--input-spec", str(source))
        # Models of forms are imported in any case, and named as parameters of operations unless those have a prefix.
        parts = "apiDocs=false,modelDocs=false,skipFormModel=false"
        names = ("--additional-properties", "prefixParameterInterfaces=true")
        generate(*command, "--output", str(made), "--global-property", parts, *names)
        written = "".join(file.read_text() for file in (made / "apis").glob("*.ts"))
        assert set(operation_ids(service)) <= set(re.findall(r"^    async (\w+)\(", written, re.M))
        project = {"compilerOptions": {**options, "noEmit": True}, "files": [f"{service}/index.ts"]}
        (tmp_path / f"{service}.json").write_text(json.dumps(project))
        generate(str(tools / "tsc"), "--project", str(tmp_path / f"{service}.json"))
