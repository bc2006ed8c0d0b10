"""The one resource: a pipeline whose settings come from the environment when a run starts."""

import os

import dagster as dg
from pydantic import PrivateAttr

from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.errors import TransientError


class PipelineResource(dg.ConfigurableResource[Pipeline]):
    """Settings of a run; an empty field means: take the environment's."""

    data_dir: str = ""
    endpoints: str = ""
    as_of: str = ""
    sandbox_url: str = ""
    # A scheduled run comes back to a publisher that is down; a person at a terminal does not wait.
    step_retries: int = 2
    retry_seconds: int = 120

    _pipeline: Pipeline | None = PrivateAttr(default=None)

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline, made once per process so that its sources share one HTTP client."""
        if self._pipeline is None:
            self._pipeline = Pipeline(self.settings())
        return self._pipeline

    def settings(self) -> Settings:
        """Return the environment's settings with this resource's own fields over them."""
        overrides = {
            "LIQUIDITY_DATA_DIR": self.data_dir,
            "LIQUIDITY_ENDPOINTS": self.endpoints,
            "LIQUIDITY_AS_OF": self.as_of,
            "LIQUIDITY_SANDBOX_URL": self.sandbox_url,
        }
        given = {name: value for name, value in overrides.items() if value}
        return Settings.from_env({**os.environ, **given})

    def retry_or_fail(self, error: Exception) -> Exception:
        """Return the exception that makes Dagster retry what is transient and stop what is not."""
        if isinstance(error, TransientError) and self.step_retries:
            return dg.RetryRequested(
                max_retries=self.step_retries, seconds_to_wait=self.retry_seconds
            )
        return dg.Failure(description=str(error), allow_retries=False)
