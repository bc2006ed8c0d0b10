"""The only package that imports dagster: it names, partitions, schedules, checks and records.

It computes nothing; what a step does is in `liquidity_pipeline.pipeline` and below.
"""

import warnings

from dagster_shared.utils.warnings import BetaWarning, PreviewWarning

from liquidity_pipeline.settings import memory

# Pools, owners and backfill policies are what this project needs of Dagster; their state of
# maturity is known and need not be said at every start. Dagster reads type hints when it defines
# assets, so these modules do without postponed annotations.
warnings.filterwarnings("ignore", category=BetaWarning)
warnings.filterwarnings("ignore", category=PreviewWarning)
# Every run begins here, of a command and of Dagster's own processes.
memory.give_back_what_is_freed()
