"""Reconciliations as asset checks, with their numbers in the metadata."""

import dagster as dg

from liquidity_pipeline.models.ties import TIES, Tie
from liquidity_pipeline.orchestration.mart_assets import WAREHOUSE_POOL, mart_key
from liquidity_pipeline.orchestration.metadata import numbers
from liquidity_pipeline.orchestration.resources import PipelineResource


def tie_checks() -> list[dg.AssetChecksDefinition]:
    """Return one asset check per reconciliation."""
    return [_tie_check(tie) for tie in TIES]


def _tie_check(tie: Tie) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=mart_key(tie.mart),
        name=tie.name,
        description=tie.meaning,
        blocking=tie.blocking,
        pool=WAREHOUSE_POOL,
    )
    def check(pipeline: PipelineResource) -> dg.AssetCheckResult:
        result = pipeline.pipeline.evaluate(tie)
        return dg.AssetCheckResult(
            # With nothing to compare there is no proof either way; say so without stopping.
            passed=result.holds or (tie.blocking and result.compared == 0),
            severity=dg.AssetCheckSeverity.ERROR if tie.blocking else dg.AssetCheckSeverity.WARN,
            metadata=numbers(
                {
                    "compared": result.compared,
                    "misses": result.misses,
                    "largest_difference_usd_mn": result.largest_usd_mn,
                    "worst_day": result.worst_day,
                    "tolerance_usd_mn": tie.tolerance_usd_mn,
                }
            ),
        )

    return check
