"""The shop's catalogue at a moment: products, variations and categories out of its articles."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

from sandbox import categories
from sandbox.goods import blank
from sandbox.products import slugify
from sandbox.records import Columns, columns_of
from sandbox.shop import Article
from sandbox.store import Store
from sandbox.wire import SITE, Doc, encode

# Category, its parent, and words that put an article there. The first that fits wins.
CATEGORIES: tuple[tuple[str, str, str], ...] = (
    ("Christmas", "", "CHRISTMAS XMAS ADVENT REINDEER SANTA SNOWFLAKE"),
    ("Easter", "", "EASTER EGG RABBIT CHICK"),
    ("Party", "", "PARTY BUNTING GARLAND BALLOON BIRTHDAY NAPKINS DOILEY"),
    ("Kitchen", "", "MUG CUP TEA COFFEE PLATE BOWL SPOON APRON TRAY JUG TEAPOT LUNCH CUTLERY"),
    ("Baking", "Kitchen", "CAKE CAKESTAND CAKES BAKING COOKIE JELLY"),
    ("Bags", "", "BAG BAGS PURSE SHOPPER WASHBAG SUITCASE"),
    ("Jewellery", "", "NECKLACE BRACELET EARRINGS RING CHARM BEAD BROOCH DIAMANTE BANGLE"),
    ("Candles and lights", "", "CANDLE CANDLES T-LIGHT LIGHT LANTERN LAMP CANDLEHOLDER"),
    ("Home", "", "CUSHION COVER DOORMAT CURTAIN QUILT BLIND RUG THROW"),
    ("Wall art", "Home", "WALL ART SIGN HOOK PICTURE TILE"),
    ("Frames and mirrors", "Home", "FRAME MIRROR PHOTO CLOCK"),
    ("Storage", "Home", "BOX TIN JAR DRAWER CABINET BASKET HOLDER STORAGE RACK"),
    ("Garden", "", "GARDEN BIRD PLANT POT WATERING FLOWER FLOWERS PARASOL BIRDHOUSE"),
    ("Stationery", "", "CARD CARDS NOTEBOOK PENCIL PENCILS PEN STICKERS LETTER STAMP"),
    ("Wrapping", "Stationery", "WRAP RIBBON RIBBONS PAPER TAPE GIFT"),
    ("Toys and games", "", "TOY DOLLY GAME PUZZLE SPACEBOY CHILDRENS PLAYHOUSE SKITTLES DOLL"),
    ("Glass and ceramics", "", "GLASS CERAMIC VASE BOTTLE CRYSTAL PORCELAIN"),
    ("Decorations", "", "DECORATION HANGING HEART STAR FAIRY ANGEL ORNAMENT"),
    ("Vintage", "", "VINTAGE RETRO RETROSPOT ANTIQUE FRENCH"),
    ("Everything else", "", ""),
)
_FAMILY = re.compile(r"^(\d{5,6})([A-Z])$")
_FAMILIES = 40
_LARGEST = 4
Rows = list[tuple[Columns, bytes, bytes | None]]


@dataclass(frozen=True, slots=True)
class Sold:
    """An article as a line of an order knows it."""

    product_id: int
    variation_id: int
    sku: str
    name: str
    parent_name: str | None


@dataclass(slots=True)
class State:
    """What history says about an article up to a moment: first and last sale, last price."""

    first: int
    last: int
    pence: int


@dataclass(slots=True)
class Catalogue:
    """The documents to load, and where each article ended up."""

    rows: Rows = field(default_factory=list)
    sold: dict[int, Sold] = field(default_factory=dict)


def make_categories(store: Store) -> dict[str, Doc]:
    """Create the shop's categories; gives by name what a product shows of its category."""
    made: dict[str, Doc] = {}
    for name, above, _ in CATEGORIES:
        parent = made[above]["id"] if above else 0
        category_id = categories.create(store, {"name": name, "parent": parent})
        doc = store.read("category", category_id) or {}
        made[name] = {key: doc[key] for key in ("id", "name", "slug")}
    return made


def category_of(name: str) -> str:
    """The category an article's name puts it into."""
    words = set(name.upper().split())
    for category, _, keywords in CATEGORIES:
        if words & set(keywords.split()):
            return category
    return CATEGORIES[-1][0]


def families(articles: dict[int, Article]) -> dict[str, list[int]]:
    """Some stock codes that differ only by a letter: variable products with their variations."""
    found: dict[str, list[int]] = defaultdict(list)
    codes = {article.code for article in articles.values()}
    for index, article in articles.items():
        match = _FAMILY.match(article.code)
        if match and match[1] not in codes:
            found[match[1]].append(index)
    chosen = [(code, known) for code, known in found.items() if 1 < len(known) <= _LARGEST]
    return dict(chosen[:_FAMILIES])


class Builder:
    """Makes the documents of a catalogue."""

    def __init__(self, store: Store, seed: int) -> None:
        self._store = store
        self._dice = Random(seed)  # noqa: S311 - made-up stock
        self._shown = make_categories(store)
        self._slugs: set[str] = set()
        self.catalogue = Catalogue()

    def build(self, articles: dict[int, Article], states: dict[int, State]) -> Catalogue:
        """Documents for every article of `articles` (by index), with their state."""
        parents = families(articles)
        grouped = {index: code for code, members in parents.items() for index in members}
        for index, article in articles.items():
            code = grouped.get(index)
            if code is None:
                self._simple(index, article, states[index])
            elif index == parents[code][0]:
                members = {member: articles[member] for member in parents[code]}
                self._variable(code, members, states)
        return self.catalogue

    def _simple(self, index: int, article: Article, state: State) -> None:
        doc = self._product(article.code, title(article.name), state)
        self._price(doc, state.pence)
        self._stock(doc)
        dice = self._dice.random()
        if dice < 0.008:  # noqa: PLR2004 - a few that are not for sale
            doc["status"] = "draft" if dice < 0.005 else "private"  # noqa: PLR2004
        self._add("product", doc)
        self.catalogue.sold[index] = Sold(doc["id"], 0, article.code, doc["name"], None)

    def _variable(self, code: str, members: dict[int, Article], states: dict[int, State]) -> None:
        known = [states[index] for index in members]
        state = State(
            min(each.first for each in known),
            max(each.last for each in known),
            min(each.pence for each in known),
        )
        doc = self._product(code, _common(list(members.values())), state)
        doc["type"] = "variable"
        doc["price"] = _pounds(state.pence)
        options = [title(article.name) for article in members.values()]
        doc["attributes"] = [
            {
                "id": 0,
                "name": "Design",
                "slug": "Design",
                "position": 0,
                "visible": True,
                "variation": True,
                "options": options,
            }
        ]
        for (index, article), option in zip(members.items(), options, strict=True):
            self._variation(doc, index, article, states[index], option)
        self._add("product", doc)

    def _variation(
        self, above: Doc, index: int, article: Article, state: State, option: str
    ) -> None:
        doc = blank("variation")
        doc.update(id=self._store.new_id(), parent_id=above["id"], sku=article.code, name=option)
        doc["attributes"] = [{"id": 0, "name": "Design", "slug": "Design", "option": option}]
        doc["permalink"] = above["permalink"]
        path = f"products/{above['id']}"
        doc["_links"] = self._store.links(f"{path}/variations/{doc['id']}", path)
        self._dates(doc, state)
        self._price(doc, state.pence, sales=False)
        self._stock(doc)
        above["variations"].append(doc["id"])
        self._add("variation", doc)
        name = f"{above['name']} - {option}"
        self.catalogue.sold[index] = Sold(above["id"], doc["id"], article.code, name, above["name"])

    def _product(self, sku: str, name: str, state: State) -> Doc:
        doc = blank()
        doc.update(id=self._store.new_id(), sku=sku, name=name, slug=self._slug(name))
        doc["permalink"] = f"{SITE}/product/{doc['slug']}/"
        doc["description"] = f"<p>{name}. {self._dice.choice(_PRAISE)}</p>"
        doc["categories"] = [self._shown[category_of(name)]]
        doc["weight"] = f"{self._dice.randrange(5, 200) / 100:.2f}"
        doc["_links"] = self._store.links(f"products/{doc['id']}")
        self._dates(doc, state)
        return doc

    def _slug(self, name: str) -> str:
        base = slugify(name) or "product"
        slug, n = base, 1
        while slug in self._slugs:
            n += 1
            slug = f"{base}-{n}"
        self._slugs.add(slug)
        return slug

    def _dates(self, doc: Doc, state: State) -> None:
        doc["date_created"], doc["date_created_gmt"] = self._store.clock.stamps(state.first)
        doc["date_modified"], doc["date_modified_gmt"] = self._store.clock.stamps(state.last)

    def _price(self, doc: Doc, pence: int, *, sales: bool = True) -> None:
        doc["regular_price"] = doc["price"] = _pounds(pence)
        if sales and pence > 50 and self._dice.random() < 0.06:  # noqa: PLR2004
            doc["sale_price"] = doc["price"] = _pounds(pence * 4 // 5)
            doc["on_sale"] = True

    def _stock(self, doc: Doc) -> None:
        doc["manage_stock"] = True
        doc["stock_quantity"] = self._dice.randrange(20, 5000)
        if self._dice.random() < 0.03:  # noqa: PLR2004 - some are sold out
            doc["stock_quantity"] = 0
            doc["stock_status"] = "outofstock"

    def _add(self, kind: str, doc: Doc) -> None:
        self.catalogue.rows.append((columns_of(kind, doc), encode(doc), None))


_PRAISE = (
    "A favourite of our customers.",
    "Makes a lovely gift.",
    "Looks good in any home.",
    "Sold singly unless the title says otherwise.",
    "Hand finished, so no two are quite alike.",
)


def title(name: str) -> str:
    """An article's name as a shop window writes it."""
    words = " ".join(name.split()).strip(" .,").lower()
    return words[:1].upper() + words[1:]


def _common(articles: list[Article]) -> str:
    """The words that all names of a family have, or the first name."""
    first = articles[0].name.split()
    shared = [word for word in first if all(word in other.name.split() for other in articles)]
    return title(" ".join(shared) if shared else articles[0].name)


def _pounds(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02d}"
