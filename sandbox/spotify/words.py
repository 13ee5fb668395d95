"""Invented names of people, bands, songs and albums."""

from functools import cache
from random import Random

from sandbox.spotify.seeds import rng

ADJECTIVES = (
    "Amber", "Borrowed", "Carbonated", "Crooked", "Diagonal", "Electric", "Feral", "Gentle", "Hollow",
    "Inflatable", "Jittery", "Lukewarm", "Magnetic", "Nocturnal", "Overdue", "Paper", "Quiet", "Reluctant",
    "Salted", "Sideways", "Thirsty", "Unfinished", "Velvet", "Wobbly", "Yellow", "Zigzag",
)  # fmt: skip
NOUNS = (
    "Accordion", "Badger", "Cardigan", "Dumpling", "Elevator", "Ferry", "Gazebo", "Harbour", "Iceberg",
    "Jukebox", "Kettle", "Lantern", "Marmalade", "Noodle", "Otter", "Parachute", "Quokka", "Raincoat",
    "Satellite", "Tramway", "Umbrella", "Voltage", "Walrus", "Xylophone", "Yoghurt", "Zeppelin",
)  # fmt: skip
FIRST = (
    "Abeni", "Bodil", "Célia", "Dagny", "Eero", "Fátima", "Gustavo", "Hyun-ji", "Ines", "Jarno", "Kofi",
    "Lúcia", "Maren", "Nnamdi", "Oona", "Pilar", "Quill", "Rasa", "Søren", "Tove", "Ulla", "Vito", "Wanja",
    "Yara", "Zbyněk",
)  # fmt: skip
LAST = (
    "Albatros", "Brückner-Bao", "Cascata", "Dubois-Ito", "Espinoza Blum", "Fjordgaard", "Garúa", "Huckleby",
    "Ivory-Ng", "Jalapeño", "Kumquat", "Lindwurm", "Moonpath", "N'Diamond", "O'Lantern", "Pfefferkorn",
    "Quince", "Rosenmango", "Saltwater", "Thimble",
)  # fmt: skip
VERBS = ("Call", "Follow", "Forgive", "Haunt", "Leave", "Lend", "Misplace", "Reheat", "Unfold", "Water")
WHEN = (
    "after Midnight",
    "at the Bus Stop",
    "before Breakfast",
    "by Ferry",
    "in Reverse",
    "on Tuesday",
    "twice",
)
ARTISTS = 180
# Names in other scripts show that tables and reports preserve Unicode.
NON_LATIN_NAMES = ("夜のやかん", "종이 우산", "قطار الليل", "橙色電車", "Νυχτερινό Τραμ", "סבון צהוב")


def _artist(chance: Random) -> str:
    adjective, noun, other = chance.choice(ADJECTIVES), chance.choice(NOUNS), chance.choice(NOUNS)
    first, last = chance.choice(FIRST), chance.choice(LAST)
    names = (
        f"The {adjective} {noun}s", f"{first} {last}", f"{first} {last}", f"{noun} {other}",
        f"DJ {adjective} {noun}", f"{first} & the {noun}s", f"{adjective}{noun}",
        f"{noun}, {other} & {last}", f"{first[:3].upper()}{noun[:2]}$",
    )  # fmt: skip
    return chance.choice(names)


@cache
def artist_names() -> tuple[str, ...]:
    """Returns the names of all artists, without duplicates, most popular first."""
    chance = rng("artist names")
    names: dict[str, None] = {}
    while len(names) < ARTISTS - len(NON_LATIN_NAMES):
        names[_artist(chance)] = None
    found = list(names)
    for number, name in enumerate(NON_LATIN_NAMES):
        found.insert(4 + 17 * number, name)
    return tuple(found)


def title(*key: object) -> str:
    """Returns the title of a song or album."""
    chance = rng("title", *key)
    adjective, noun, other = chance.choice(ADJECTIVES), chance.choice(NOUNS), chance.choice(NOUNS)
    verb, when, first = chance.choice(VERBS), chance.choice(WHEN), chance.choice(FIRST)
    titles = (
        f"{adjective} {noun}", f"{verb} Me {when}", f"{noun} {when}", f"{verb} the {noun}",
        f"My {adjective} {noun}", f"{first}'s {noun}", f"{noun} / {other}", f"{adjective}, {first}",
        f'"{noun}"', noun.upper(), f"Don't {verb} {first} {when}",
    )  # fmt: skip
    return chance.choice(titles)
