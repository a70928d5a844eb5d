"""Letters that look like Latin ones. Data: from Unicode's list of confusables, and from names that Unicode gives.

Only living or playful alphabets stand here, and of each only what one letter is mistaken for; digits and punctuation
mean too much by themselves to be letters, but inside a word (``words.py``). docs/decisions/0028 says why not a library.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

LIKE = {
    "a": "ɑΑαАаᎪᗅ⍺ꓮ𐊠λΛ",
    "b": "ƄΒВЬᏏᏴᑲᖯᗷꓐꞴ𐊂𐊡𐌁вβ",
    "c": "ϲϹСсᏟⲤⲥꓚꮯ𐊢𐌂𐐕𐐽𐔜𑣩𑣲",
    "d": "ԁᎠᏧᑯᗞᗪꓒꓓ",
    "e": "ΕЕеҽᎬ℮ⴹꓰꬲ𐊆𑢦𑢮εєЄ",
    "f": "Ϝքᖴẝꓝꬵ𐊇𐊥𐔥𑢢𑣂𝈓",
    "g": "ƍɡԌցᏀᏳꓖ",
    "h": "ΗНһհᎻᏂᕼⲎꓧ𐋏нң",
    "i": "ıɩͺιіӏᎥι⍳ꙇꭵ𑣃ΙІⲒ",
    "j": "ͿϳЈјᎫᒍꓙ",
    "k": "ΚКᏦᛕⲔꓗ𐔘кκ",
    "l": "ƖǀӀᏞᒪᛁⳐⵏꓡꓲ𐊊𐌉𐌠𐐛𐔦𑢣𑢲𝈪",
    "m": "ΜϺМᎷᗰᛖⲘꓟ𐊰𐌑мϻ",
    "n": "ΝոռⲚꓠ𐔓иИηŋŊ",
    "o": "ΟοσОоՕօჿᴑⲞⲟⵔꓳꬽ𐊒𐊫𐐄𐐬𐓂𐓪𐔖𑢵𑣈𑣗𑣠",
    "p": "ΡρϱРрᏢᑭ⍴Ⲣⲣꓑ𐊕",
    "q": "ԛգզⵕ",
    "r": "ƦгᎡᏒᖇᴦⲅꓣꭇꭈꮁ𐒴𝈖яЯ",
    "s": "ƽЅѕՏᏕᏚꓢꮪ𐊖𐐠𐑈𑣁",
    "t": "ΤТᎢⲦꓔ𐊗𐊱𐌕𑢼тτ",
    "u": "υՍսᑌꓴꞟ𐓎𐓶𑢸𑣘μ",
    "v": "νѴѵᏙᐯⴸꓦꮩ𐔝𑢠𑣀𝈍",
    "w": "ɯѡԜԝաᎳᏔꓪꮃ𑣦𑣯ωшШ",
    "x": "ΧХхᕁᕽ᙭᙮ᚷⲬⵝꓫꞳ𐊐𐊴𐌗𐌢𐔧𑣬χ",
    "y": "ɣΥγϒУуҮүყᎩᎽⲨꓬ𐊲𑢤𑣜",
    "z": "ΖᏃꓜꮓ𐋵𑢩𑣄𑣥ζ",
}
"""By the Latin letter. Capitals and small letters where both are drawn alike, also of the Greek that only looks so."""

_LATIN = ((0x0080, 0x0250), (0x0250, 0x02B0), (0x1D00, 0x1DC0), (0x1E00, 0x1F00), (0x2C60, 0x2C80), (0xA720, 0xA800))
_NAMED = re.compile(
    r"LATIN (?:SMALL |CAPITAL )?LETTER (?:SMALL CAPITAL |SCRIPT |DOTLESS |OPEN |LONG )?([A-Z])(?: WITH .*)?"
)
"""``ø``, ``ɢ``, ``ɡ``, ``ı``, ``ɛ``: letters that Unicode itself calls a kind of a Latin one, but takes not apart."""

_ENCLOSED = (0x1F130, 0x1F150, 0x1F170, 0x1F1E6)
"""Where a row of 26 letters in squares or circles, or of flags, begins."""

_LIGATURES = {"æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe"}


@cache
def table() -> dict[int, str]:
    """What ``str.translate`` takes."""
    found: dict[int, str] = {}
    for code in (code for first, end in _LATIN for code in range(first, end)):
        named = _NAMED.fullmatch(unicodedata.name(chr(code), ""))
        if named is not None and not unicodedata.decomposition(chr(code)):
            found[code] = named[1].lower()
    for first in _ENCLOSED:
        found |= {first + place: chr(ord("a") + place) for place in range(26)}
    found |= {ord(letter): latin for latin, letters in LIKE.items() for letter in letters}
    return found | {ord(letter): pair for letter, pair in _LIGATURES.items()}
