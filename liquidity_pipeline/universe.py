"""The symbols that are followed and who provides them, from `universe.toml`.

A user adds an index, a fund or a coin by adding lines to that file; no code knows a symbol.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from liquidity_pipeline.settings import SettingsError

ASSET_CLASSES = (
    "large_cap",
    "growth",
    "mid_cap",
    "small_cap",
    "quality",
    "long_treasury",
    "investment_grade",
    "high_yield",
    "crypto",
)
INDEX_PROVIDERS = ("yahoo", "cboe", "fred")
CRYPTO_PROVIDERS = ("coinbase", "kraken")


@dataclass(frozen=True)
class Asset:
    """One followed symbol.

    `providers` are `name:provider's symbol`, first choice first. `tolerance` is the relative
    difference of two providers' closes beyond which a day is quarantined. `since` is the first
    day on which the first provider has it.
    """

    symbol: str
    name: str
    asset_class: str
    since: date
    providers: tuple[str, ...]
    tolerance: float

    def provider_symbols(self) -> list[tuple[str, str]]:
        """Return (provider, its symbol) in order of preference."""
        return [(name, symbol) for name, _, symbol in (p.partition(":") for p in self.providers)]


@dataclass(frozen=True)
class Universe:
    """All followed assets: `index` trades in New York sessions, `crypto` every UTC day."""

    index: tuple[Asset, ...]
    crypto: tuple[Asset, ...]

    @classmethod
    def load(cls, reference_dir: Path) -> Universe:
        """Read `universe.toml`; raise SettingsError that names the file and the entry."""
        path = reference_dir / "universe.toml"
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise SettingsError(
                f"{path} does not exist: it lists the symbols to follow. "
                f"Set LIQUIDITY_REFERENCE_DIR to the folder that holds it."
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{path}: {error}") from None
        return cls.from_dict(content, str(path))

    @classmethod
    def from_dict(cls, content: dict[str, Any], origin: str = "universe") -> Universe:
        """Build from the parsed file, or from what the archive recorded."""
        if unknown := set(content) - {"index", "crypto"}:
            raise SettingsError(
                f"{origin}: [[{min(unknown)}]] is not known; assets stand under [[index]] or "
                f"[[crypto]]."
            )
        return cls(
            index=_assets(content.get("index", []), INDEX_PROVIDERS, 1e-4, f"{origin} [[index]]"),
            crypto=_assets(
                content.get("crypto", []), CRYPTO_PROVIDERS, 0.02, f"{origin} [[crypto]]"
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able content that `from_dict` reads back."""
        return {
            kind: [asdict(asset) | {"since": asset.since.isoformat()} for asset in assets]
            for kind, assets in (("index", self.index), ("crypto", self.crypto))
        }


def _assets(
    entries: list[dict[str, Any]], providers: tuple[str, ...], tolerance: float, origin: str
) -> tuple[Asset, ...]:
    assets = tuple(_asset(entry, tolerance, origin) for entry in entries)
    seen: set[str] = set()
    for asset in assets:
        if asset.symbol in seen:
            raise SettingsError(f"{origin}: '{asset.symbol}' is listed twice.")
        seen.add(asset.symbol)
        known = [name in providers and symbol for name, symbol in asset.provider_symbols()]
        if not asset.providers or not all(known):
            raise SettingsError(
                f"{origin} '{asset.symbol}': providers must be among {', '.join(providers)}, "
                f"written as provider:symbol; got {', '.join(asset.providers) or 'none'}."
            )
    return assets


def _asset(entry: dict[str, Any], tolerance: float, origin: str) -> Asset:
    try:
        since = entry["since"]
        asset = Asset(
            symbol=entry["symbol"],
            name=entry["name"],
            asset_class=entry["asset_class"],
            since=since if isinstance(since, date) else date.fromisoformat(since),
            providers=tuple(entry["providers"]),
            tolerance=float(entry.get("tolerance", tolerance)),
        )
    except KeyError as error:
        raise SettingsError(f"{origin}: an entry has no {error}: {entry}") from None
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{origin}: {error} in {entry}") from None
    if asset.asset_class not in ASSET_CLASSES:
        raise SettingsError(
            f"{origin} '{asset.symbol}': asset_class '{asset.asset_class}' is not one of "
            f"{', '.join(ASSET_CLASSES)}."
        )
    return asset
