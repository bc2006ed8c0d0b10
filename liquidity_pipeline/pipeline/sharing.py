"""What is shared with other machines: lake and archive in an object store, and publications.

Nothing of this is imported on a machine that shares nothing.
"""

from __future__ import annotations

from liquidity_pipeline.settings import CatalogueSettings, Settings
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.lake import Lake


def stores(settings: Settings) -> tuple[Lake, Archive]:
    """Return lake and archive: of this machine alone, or copies of those in an object store."""
    if settings.lake_url is None:
        return Lake(settings.lake_dir), Archive(settings.archive_dir)
    from liquidity_pipeline.storage.object_store import ObjectStore
    from liquidity_pipeline.storage.shared_lake import SharedArchive, SharedLake

    store = ObjectStore(settings.lake_url, settings.endpoints, settings.http_timeout)
    return SharedLake(settings.lake_dir, store), SharedArchive(settings.archive_dir, store)


def is_shared(settings: Settings) -> bool:
    """Tell whether the environment names anywhere to share publications."""
    return settings.lake_url is not None or CatalogueSettings.from_env() is not None


def share(settings: Settings) -> str | None:
    """Share the published file: in the object store, and as a snapshot of the shared catalogue.

    Returns why that failed, or None. Readers of the file itself depend on neither.
    """
    failed = [f"object store: {error}"] if (error := _to_store(settings)) else []
    if error := _to_catalogue(settings):
        failed.append(f"shared catalogue: {error}")
    return f"published, but not shared: {'; '.join(failed)}" if failed else None


def _to_store(settings: Settings) -> Exception | None:
    if settings.lake_url is None:
        return None
    from liquidity_pipeline.storage import object_store, shared_lake, warehouse

    with warehouse.reading(settings.published_file) as connection:
        ((publication, built_at),) = connection.execute(
            "select publication_id, built_at from meta.publication"
        ).fetchall()
    store = object_store.ObjectStore(settings.lake_url, settings.endpoints, settings.http_timeout)
    described = {"publication_id": publication, "built_at": built_at.isoformat()}
    try:
        shared_lake.publish(store, settings.published_file, described)
    except (object_store.StoreError, object_store.ConflictError) as error:
        return error
    return None


def _to_catalogue(settings: Settings) -> Exception | None:
    catalogue = CatalogueSettings.from_env()
    if catalogue is None:
        return None
    from liquidity_pipeline.storage import shared_catalogue

    try:
        shared_catalogue.register(settings.published_file, catalogue)
    except shared_catalogue.CatalogueError as error:
        return error
    return None
