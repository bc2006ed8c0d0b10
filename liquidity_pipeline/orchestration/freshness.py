"""The check `fresh` of every source, every mart, the publication and the brief.

Dagster's freshness policies go by the moment of the last materialisation: a run that fetched
nothing new makes them green, and a quiet weekend makes them red. This check goes by the newest
observation and the publisher's calendar, see `ingestion.overdue`. A sensor evaluates it, so that
an asset changes its colour when something becomes overdue and no run happens at all; it can be
executed by hand too.
"""

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.orchestration.metadata import bullets
from liquidity_pipeline.orchestration.names import FRESH_CHECK, PUBLICATION_PATH
from liquidity_pipeline.pipeline import Pipeline, asset_freshness
from liquidity_pipeline.pipeline.asset_freshness import Freshness
from liquidity_pipeline.sources.registry import SOURCES

_SECONDS = 300
_PUBLISHED = [dg.AssetKey(PUBLICATION_PATH), dg.AssetKey(["publication", "brief"])]
_ASSETS = [
    *(dg.AssetKey(["sources", name]) for name in SOURCES),
    *(dg.AssetKey(["marts", name]) for name in MART_TABLES),
    *_PUBLISHED,
]
CHECK_KEYS = [dg.AssetCheckKey(key, FRESH_CHECK) for key in _ASSETS]
_MEANING = (
    "Holds every observation that its publishers' calendars say is due and that a scheduled "
    "refresh has had the time to fetch. A warning: something is overdue. An error: a whole "
    "table is two or more due observations behind."
)


@dg.multi_asset_check(
    name="freshness",
    specs=[dg.AssetCheckSpec(FRESH_CHECK, asset=key, description=_MEANING) for key in _ASSETS],
    can_subset=True,
)
def freshness(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the selected assets by their newest observations."""
    asked = context.selected_asset_check_keys
    for key, state in _states(pipeline).items():
        if dg.AssetCheckKey(key, FRESH_CHECK) in asked:
            yield dg.AssetCheckResult(
                asset_key=key, check_name=FRESH_CHECK, passed=state.fresh, **_details(state)
            )


@dg.sensor(
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Evaluates the check `fresh` of all assets by their newest observations, and "
    "records each result that changed. Starts no run.",
)
def judge_freshness(
    context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.SensorResult:
    """Report what changed since the last evaluation, which the cursor holds."""
    if not pipeline.settings.published_file.exists():
        return dg.SensorResult(skip_reason="nothing has been published yet")
    known: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
    states = _states(pipeline)
    seen = {key.to_user_string(): f"{state.newest} {state}" for key, state in states.items()}
    changed = [
        dg.AssetCheckEvaluation(
            asset_key=key, check_name=FRESH_CHECK, passed=state.fresh, **_details(state)
        )
        for key, state in states.items()
        if known.get(key.to_user_string()) != seen[key.to_user_string()]
    ]
    overdue = sum(not state.fresh for state in states.values())
    return dg.SensorResult(
        asset_events=changed,
        cursor=json.dumps(seen),
        skip_reason=f"{overdue} of {len(states)} assets have overdue data; {len(changed)} changed",
    )


def _states(pipeline: Pipeline) -> dict[dg.AssetKey, Freshness]:
    sources = asset_freshness.sources(pipeline)
    marts, published = asset_freshness.published(pipeline)
    return (
        {dg.AssetKey(["sources", name]): state for name, state in sources.items()}
        | {dg.AssetKey(["marts", name]): state for name, state in marts.items()}
        | dict.fromkeys(_PUBLISHED, published)
    )


def _details(state: Freshness) -> dict[str, Any]:
    return {
        "severity": dg.AssetCheckSeverity.ERROR if state.is_stale else dg.AssetCheckSeverity.WARN,
        "description": str(state),
        "metadata": {
            "newest_observation": str(state.newest or "none"),
            "overdue_series": len(state.overdue),
            **bullets("overdue", list(map(str, state.overdue))),
        },
    }
