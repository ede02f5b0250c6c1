"""Flags of the command line, made of the settings of typed configurations."""

import argparse
from dataclasses import MISSING, fields
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

from latent_arithmetic.config import expect_in_range
from latent_arithmetic.io import UserError


def _value_type(hint: Any) -> type:
    """The type of a setting without the None that it may be."""
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return next(kind for kind in kinds if kind is not type(None))


def flag_type(kind: type, about: dict):
    """What turns a flag's text into a checked value, for `argparse`."""

    def convert(text: str):
        try:
            value = kind(text)
        except ValueError:
            wanted = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(
                f"expected {wanted}, received {text!r}"
            ) from None
        try:
            expect_in_range("value", value, about)
        except UserError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return value

    return convert


def add_flags(parser: argparse.ArgumentParser, config_class: type) -> None:
    """Add a flag for every setting of a typed configuration.

    A setting `kl_warm_up` becomes `--kl-warm-up`; a setting that is true or false
    becomes a pair such as `--conditional` and `--no-conditional`. Flags that are not
    given leave no trace in the parsed options.
    """
    hints = get_type_hints(config_class)
    for each in fields(config_class):
        if "help" not in each.metadata:
            continue
        about, kind = each.metadata, _value_type(hints[each.name])
        name, default = f"--{each.name.replace('_', '-')}", each.default
        shown = "" if default is None or default is MISSING else f" (default {default})"
        options: dict[str, Any] = {"help": about["help"] + shown}
        if kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif about["choices"] is not None:
            options["choices"] = about["choices"]
            options["type"] = kind
        else:
            options["type"] = flag_type(kind, about) if kind in (int, float) else kind
            options["metavar"] = {int: "N", float: "X", Path: "FILE"}.get(kind, "NAME")
        parser.add_argument(name, dest=each.name, default=argparse.SUPPRESS, **options)


def given_flags(config_class: type, options: Any) -> dict[str, Any]:
    """The settings that were given on the command line."""
    names = [each.name for each in fields(config_class) if "help" in each.metadata]
    return {name: getattr(options, name) for name in names if hasattr(options, name)}


def config_from_flags(config_class: type, options: Any) -> Any:
    """The configuration with the flags that were given, the rest by default."""
    return config_class(**given_flags(config_class, options))
