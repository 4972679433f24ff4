"""Canonical forms by libxml2 (through lxml) and by Python's own implementation.

Reads lines of JSON, each a document, an ID or null, and a list of prefixes; writes for each the two
forms. Python's own has neither subtrees nor prefixes: then its form is null.
"""

import json
import sys
from xml.etree import ElementTree

from lxml import etree

PARSER = etree.XMLParser(resolve_entities=False, remove_comments=False)

for line in sys.stdin:
    text, name, prefixes = json.loads(line)
    tree = etree.fromstring(text.encode(), PARSER)
    if name is not None:
        tree = tree.xpath("//*[@ID=$name]", name=name)[0]
    # libxml2 takes the whole document where the element is its root: comments around it aside.
    one = etree.tostring(
        tree,
        method="c14n",
        exclusive=True,
        with_comments=False,
        inclusive_ns_prefixes=prefixes or None,
    ).decode()
    other = None
    if name is None and not prefixes:
        other = ElementTree.canonicalize(text)
    print(json.dumps([one, other]))
