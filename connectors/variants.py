"""What the variants of a product differ in. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from connectors.records import Attribute, Option, Product


def told_apart(content: Product) -> Product:
    """The product with options that differ from variant to variant, as most platforms demand: of
    those that are the same, the second gets a number. The product itself where all differ.
    """
    seen: dict[tuple[Option, ...], int] = {}
    variants = []
    for variant in content.variants:
        options = variant.options
        times = seen[options] = seen.get(options, 0) + 1
        if times > 1 and options:
            last = options[-1]
            options = (*options[:-1], Option(last.name, f"{last.value} ({times})"))
        variants.append(replace(variant, options=options))
    if variants == list(content.variants):
        return content
    # The values are read off the variants: those of the product do not fit any more.
    attributes = tuple(each for each in content.attributes if not each.varies)
    return replace(content, variants=tuple(variants), attributes=attributes)


def options_of(content: Product) -> list[Attribute]:
    """What the variants differ in; read off the variants where the product does not say."""
    named = [each for each in content.attributes if each.varies and each.values]
    if named:
        return named
    values: dict[str, dict[str, None]] = {}
    for variant in content.variants:
        for option in variant.options:
            values.setdefault(option.name, {})[option.value] = None
    return [Attribute(name=name, values=tuple(found)) for name, found in values.items()]
