"""
The Kubernetes API on plain documents: applied on the server's side and strictly, watched without end.

Which address a kind has is asked of the server, so that whatever it knows can be named by `Kind` alone.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp

Document = Mapping[str, Any]
MANAGER = "firedamp-e2e"
_APPLY, _MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
_GONE = 410


class Kind(NamedTuple):
    """What a document says that it is."""

    api: str
    name: str

    @classmethod
    def of(cls, document: Document) -> "Kind":
        return cls(document["apiVersion"], document["kind"])


POD = Kind("v1", "Pod")
SERVICE = Kind("v1", "Service")
EVENT = Kind("v1", "Event")
ROLLOUT = Kind("argoproj.io/v1alpha1", "Rollout")
EXPERIMENT = Kind("argoproj.io/v1alpha1", "Experiment")
ANALYSIS_RUN = Kind("argoproj.io/v1alpha1", "AnalysisRun")
EXPERIMENT = Kind("argoproj.io/v1alpha1", "Experiment")
CANARY = Kind("flagger.app/v1beta1", "Canary")
VIRTUAL_SERVICE = Kind("networking.istio.io/v1", "VirtualService")
DESTINATION_RULE = Kind("networking.istio.io/v1", "DestinationRule")


class RefusedError(Exception):
    """The server said no: its status and its sentence."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status}: {said}")
        self.status = status


@dataclass(slots=True)
class Api:
    """A client, between enter and exit; by default one that may do everything."""

    server: str
    authority: Path
    token: str
    _session: aiohttp.ClientSession | None = None
    _plurals: dict[str, dict[str, tuple[str, bool]]] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        checked = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=self.authority), limit=0)
        self._session = aiohttp.ClientSession(
            connector=checked,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10.0),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def apply(self, document: Document, *, force: bool = True) -> Document:
        """Make it so; a field that the server does not know is refused."""
        path = await self._path_of(document)
        options = {"fieldManager": MANAGER, "fieldValidation": "Strict", "force": str(force).lower()}
        return await self._asked("PATCH", path, params=options, body=document, kind=_APPLY)

    async def apply_all(self, documents: Iterable[Document]) -> None:
        """One after the other, in their order."""
        for document in documents:
            await self.apply(document)

    async def get(self, kind: Kind, name: str, namespace: str = "") -> Document:
        """One, by its name."""
        return await self._asked("GET", await self._path(kind, name, namespace))

    async def list(
        self, kind: Kind, namespace: str = "", fields: Mapping[str, str] | None = None, **labels: str
    ) -> list[Document]:
        """All of a kind, of a namespace or of all, with these fields and labels."""
        wanted = {"labelSelector": _selected(labels), "fieldSelector": _selected(fields or {})}
        found = await self._asked("GET", await self._path(kind, "", namespace), wanted)
        return [{**item, "apiVersion": kind.api, "kind": kind.name} for item in found["items"]]

    async def merge(self, document: Document, change: Document, part: str = "") -> Document:
        """Change some fields of one, or of its `part`, which may be `status`."""
        path = await self._path_of(document)
        return await self._asked("PATCH", f"{path}/{part}".rstrip("/"), body=change, kind=_MERGE)

    async def create(self, document: Document, part: str = "") -> Document:
        """A new one, or the answer to a question that is asked by creating it."""
        kind, about = Kind.of(document), document.get("metadata", {})
        name = about.get("name", "") if part else ""
        path = await self._path(kind, name, about.get("namespace", ""))
        return await self._asked("POST", f"{path}/{part}".rstrip("/"), body=document)

    async def ask(self, kind: Kind, name: str, namespace: str, part: str, question: Document) -> Document:
        """What a part of one answers, as a service account's `token`."""
        return await self._asked("POST", f"{await self._path(kind, name, namespace)}/{part}", body=question)

    async def delete(self, kind: Kind, name: str, namespace: str = "") -> None:
        """Remove one; whether it is gone already does not matter."""
        try:
            await self._asked("DELETE", await self._path(kind, name, namespace))
        except RefusedError as refusal:
            if refusal.status != 404:
                raise

    async def watch(self, kind: Kind) -> AsyncIterator[tuple[str, Document]]:
        """All that there are, then every change: ADDED, MODIFIED or DELETED with the document; for ever."""
        while True:
            try:
                found = await self._asked("GET", await self._path(kind))
                for item in found["items"]:
                    yield "ADDED", {**item, "apiVersion": kind.api, "kind": kind.name}
                async for change in self._changes(kind, found["metadata"]["resourceVersion"]):
                    yield change
            except (RefusedError, aiohttp.ClientError):
                pass  # not served yet, or the server lost its place: from the beginning
            await asyncio.sleep(0.2)

    async def _changes(self, kind: Kind, version: str) -> AsyncIterator[tuple[str, Document]]:
        assert self._session is not None
        options = {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "false"}
        url = f"{self.server}{await self._path(kind)}"
        async with self._session.get(url, params=options, read_bufsize=2**22) as answer:
            if answer.status >= 400:
                raise RefusedError(answer.status, await _said(answer))
            while line := await answer.content.readline():
                change = json.loads(line)
                if change["type"] == "ERROR":
                    return
                yield change["type"], change["object"]

    async def _path_of(self, document: Document) -> str:
        about = document["metadata"]
        return await self._path(Kind.of(document), about["name"], about.get("namespace", ""))

    async def _path(self, kind: Kind, name: str = "", namespace: str = "") -> str:
        plural, namespaced = await self._plural(kind)
        within = f"/namespaces/{namespace}" if namespaced and namespace else ""
        return f"{_root(kind.api)}{within}/{plural}" + (f"/{name}" if name else "")

    async def _plural(self, kind: Kind) -> tuple[str, bool]:
        if kind.name not in self._plurals.get(kind.api, {}):
            found = await self._asked("GET", _root(kind.api))
            self._plurals[kind.api] = {
                item["kind"]: (item["name"], item["namespaced"])
                for item in found["resources"]
                if "/" not in item["name"]
            }
        if kind.name not in self._plurals[kind.api]:
            raise RefusedError(404, f"there is no kind {kind.name} in {kind.api}")
        return self._plurals[kind.api][kind.name]

    async def _asked(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Document | None = None,
        kind: str = "application/json",
    ) -> Any:
        assert self._session is not None
        sent = None if body is None else json.dumps(body)
        headers = {"Content-Type": kind} if sent else {}
        url = f"{self.server}{path}"
        async with self._session.request(method, url, params=params, data=sent, headers=headers) as answer:
            if answer.status >= 400:
                raise RefusedError(answer.status, await _said(answer))
            return await answer.json()


def _selected(wanted: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in wanted.items())


def _root(api: str) -> str:
    return f"/apis/{api}" if "/" in api else f"/api/{api}"


async def _said(answer: aiohttp.ClientResponse) -> str:
    text = await answer.text()
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:300]
