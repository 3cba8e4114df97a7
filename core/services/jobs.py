"""Jobs: import and export of CSV files."""

from collections.abc import AsyncIterator

from ...v1 import jobs_pb2 as pb
from ..access import Principal
from ..commands import export_file, import_file, jobs
from ..commands.context import Core


class Jobs:
    """callscreen.v1.Jobs."""

    def __init__(self, core: Core) -> None:
        self._core = core

    # "import" is a word of the language
    async def import_(self, requests: AsyncIterator[tuple[pb.ImportRequest, Principal]]) -> pb.Job:
        return await import_file.import_file(self._core, requests)

    async def export(self, request: pb.ExportRequest, caller: Principal) -> pb.Job:
        return await export_file.export_file(self._core, caller, request.parent, request.query)

    async def get_job(self, request: pb.GetJobRequest, caller: Principal) -> pb.Job:
        return jobs.get_job(self._core, caller, request.name)

    async def list_jobs(
        self, request: pb.ListJobsRequest, caller: Principal
    ) -> pb.ListJobsResponse:
        size = request.page_size if request.HasField("page_size") else None
        found, total = await self._core.readers.run(
            lambda _: jobs.list_jobs(self._core, caller, request.parent, size, request.skip)
        )
        return pb.ListJobsResponse(jobs=found, total_size=total)

    async def cancel_job(self, request: pb.CancelJobRequest, caller: Principal) -> pb.Job:
        return await jobs.cancel_job(self._core, caller, request.name)

    def read_log(self, request: pb.ReadLogRequest, caller: Principal) -> AsyncIterator[pb.JobLine]:
        return jobs.read_log(self._core, caller, request.name)

    def download(
        self, request: pb.DownloadRequest, caller: Principal
    ) -> AsyncIterator[pb.FileChunk]:
        return jobs.download(self._core, caller, request.name, request.offset)


__all__ = ["Jobs"]
