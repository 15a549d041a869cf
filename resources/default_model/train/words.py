"""English for captions: speakable names, articles, plurals. Pure functions over strings, without data of their own."""
import re

NUMBERS = {2: "two", 3: "three", 4: "four"}

# Sounds that spelling does not tell.
CONSONANT_U = {"unicorn", "uniform", "united", "ukulele", "euro", "ewe", "one", "one-piece", "one-thirty"}
SPELLED_VOWEL = {"hourglass", "atm", "sos", "ng", "x-ray"}

# Names that take no article: plurals, things without a count, proper names, signs read as a word.
SINGULAR_S = {"abacus", "bus", "trolleybus", "minibus", "cactus", "octopus", "lotus", "hibiscus", "compass", "rhinoceros", "hippopotamus", "tennis"}
NO_COUNT = set("""airplane arrival|airplane departure|bacon|badminton|baggage claim|baguette bread|biohazard|bowling|bread|breast-feeding|broccoli
building construction|butter|camping|canned food|children crossing|cinema|construction|cooked rice|cooking|copyright|coral|currency exchange
curry rice|custard|customs|dango|dashing away|divide|dna|falafel|field hockey|fire|flatbread|fleur-de-lis|fog|foggy|fondue|fork and knife
fork and knife with plate|garlic|ginger root|hammer and pick|hammer and wrench|high voltage|horse racing|ice|ice cream|ice hockey|infinity
information|lacrosse|left luggage|lipstick|locked|locked with key|locked with pen|luggage|mate|minus|money with wings|mount fuji|mrs. claus
multiply|mx claus|nail polish|no entry|non-potable water|oden|om|passport control|performing arts|ping pong|plus|popcorn|potable water
prohibited|radioactive|registered|rolling on the floor laughing|sake|salt|santa claus|shaved ice|soap|soft ice cream|spaghetti|statue of liberty
stuffed flatbread|sushi|tennis|thread|tokyo tower|unlocked|vibration mode|warning|wireless|wood|yarn|yin yang|zzz
aries|taurus|gemini|cancer|leo|virgo|libra|scorpio|sagittarius|capricorn|aquarius|pisces|ophiuchus""".replace("\n", "|").split("|"))
IRREGULAR = dict(pair.split(":") for pair in """mouse:mice goose:geese ox:oxen wolf:wolves leaf:leaves knife:knives foot:feet tooth:teeth elf:elves
fish:fish blowfish:blowfish jellyfish:jellyfish deer:deer bison:bison squid:squid shrimp:shrimp moose:moose child:children person:people
potato:potatoes tomato:tomatoes mango:mangoes buffalo:buffaloes volcano:volcanoes mosquito:mosquitoes tornado:tornadoes die:dice
scarf:scarves""".split())
RELATION = re.compile(
    r" (?:of|with|in|on|without|behind|showing|holding|pointing|lifting|fluttering|wearing|not|done|increasing|decreasing|and|over|at) ?")


def spoken(label: str) -> str:
    """An emojibase label as a caption says it: lower case, without colons, quotes and brackets."""
    text = label.replace("’", "'").replace("“", "").replace("”", "").replace("&", "and").replace("(", "").replace(")", "").lower()
    if ":" not in text:
        return text
    head, tail = (part.strip() for part in text.split(":", 1))
    members = [part.strip() for part in tail.split(",")]
    if head == "keycap":
        return f"{head} {tail}"
    if head in ("flag", "family", "kiss", "couple with heart"):
        return f"{head} of {enumeration(members)}"
    if tail == "bald":
        return f"bald {head}"
    return f"{head} {tail}" if tail.startswith("facing") else f"{head} with {with_article(tail) if tail == 'beard' else tail}"


def enumeration(parts: list[str]) -> str:
    """a · a and b · a, b and c."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def head_noun(name: str) -> str:
    """The word that carries number: the last before a preposition or participle."""
    return RELATION.split(name, maxsplit=1)[0].split()[-1]


def is_plural(name: str) -> bool:
    """Whether the name is a plural or a pair already, such as "grapes" or "men holding hands"."""
    head = head_noun(name)
    if head in ("people", "men", "women", "children"):
        return True
    return head.endswith("s") and not head.endswith(("ss", "'s")) and head not in SINGULAR_S and name not in SINGULAR_S


def takes_article(name: str) -> bool:
    return name not in NO_COUNT and not name.startswith(("no ", "thumbs ", "keycap ")) and not is_plural(name)


def article(word: str) -> str:
    """"a" or "an" by sound; the word is the first of the noun phrase."""
    first = word.split()[0]
    if first in CONSONANT_U:
        return "a"
    if first in SPELLED_VOWEL:
        return "an"
    return "an" if first[0] in "aeiou" else "a"


def with_article(name: str) -> str:
    return f"{article(name)} {name}" if takes_article(name) else name


def plural_word(word: str) -> str:
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith("man"):
        return word[:-2] + "en"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        return word[:-1] + "ies"
    return word + "s"


def plural(name: str) -> str:
    """The name in plural: only its head changes ("ear of corn" to "ears of corn")."""
    head = head_noun(name)
    front = RELATION.split(name, maxsplit=1)[0]
    return front[:len(front) - len(head)] + plural_word(head) + name[len(front):]
