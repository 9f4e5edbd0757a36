"""The blob storage: any fsspec address. A file appears whole or not at all, and a put can be repeated."""

import time
from collections.abc import Mapping

import fsspec
from fsspec.implementations.local import LocalFileSystem

from sinks.errors import StorageUnavailable

ATTEMPTS = 3


class Storage:
    """Files under one fsspec address, such as `file://build/blob` or `s3://bucket/prefix`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._files, self._root = fsspec.core.url_to_fs(address)

    def put(self, files: Mapping[str, bytes]) -> None:
        """Store files under their names. Raises `StorageUnavailable` after a few attempts."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._put(files)
                return
            except OSError as error:
                if attempt == ATTEMPTS:
                    raise StorageUnavailable(
                        f"the blob storage {self._address} refuses to store ({error}): nothing is lost, the files wait"
                        " in sink.outgoing; make it writable or set MILLRACE_BLOB, and start again"
                    ) from error
                time.sleep(0.2 * attempt)

    def _put(self, files: Mapping[str, bytes]) -> None:
        """An object store shows an object when it is complete; a local folder needs a rename for that."""
        if not isinstance(self._files, LocalFileSystem):
            self._files.pipe({self._path(name): content for name, content in files.items()})
            return
        for name, content in files.items():
            path = self._path(name)
            self._files.makedirs(self._files._parent(path), exist_ok=True)
            partial = f"{path}.partial"
            self._files.pipe_file(partial, content)
            self._files.mv(partial, path)

    def get(self, name: str) -> bytes | None:
        """The bytes of a file, None if it is not there. Raises `StorageUnavailable`."""
        try:
            return bytes(self._files.cat_file(self._path(name)))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageUnavailable(
                f"the blob storage {self._address} cannot be read ({error}): make it readable or set MILLRACE_BLOB"
            ) from error

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"
