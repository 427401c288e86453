"""Refusals: the model declines, in words, to answer."""

from __future__ import annotations

import re

from .plain import plain, without_thoughts

LIMIT = 20_000
"""Characters of a reply that are looked at."""

_VERBS = (
    r"(?:identif|determin|recogni[sz]|help|assist|compar|provid|tell|comment|answer|verif|confirm|say|guess|estimat|"
    r"infer|analy[sz]|discuss|fulfil|comply|do (?:that|this|so|it)|engag|process|share|speculat|judg|assess|give|offer|"
    r"support|continue|(?:view|see|access|open) (?:the |any |these |those |this |your |either )?"
    r"(?:image|picture|photo|file|attachment)|"
    r"respond|make|match|perform|evaluat|classif|decid|disclose|complete|describe|label|detect|rate|tell|conduct)"
)
_ENGLISH = [
    rf"\b(?:i|we) (?:can|could|will|would|do|am|are|must|should|may|"
    rf"shall)(?: \w+){{0,2}}? not (?:be )?(?:\w+ ){{0,3}}?{_VERBS}"
    r"(?!\w* (?:\w+ )?(?:for )?(?:sure|certain|certainty)\b)",
    r"\b(?:i|we) (?:am|are) (?:\w+ )?(?:unable|not able|not allowed|not permitted|not in a position|not designed|"
    r"not comfortable|uncomfortable|prohibited|restricted)\b",
    r"\b(?:sorry|afraid|apologi[sz]e|apologies|unfortunately)\b[^.!?\n]{0,40}\b(?:can not|unable|not able|will not)\b",
    r"\b(?:i|we) (?:(?:must|have to|will|need to|respectfully|politely|would) ){0,2}(?:decline|refuse)\b",
    r"\b(?:i|we) (?:would )?(?:rather not|prefer not)\b",
    r"\b(?:against|violates?|violating|goes against) (?:my|our|the|openai's|\w+'s)?\s?(?:\w+ )?"
    r"(?:policy|policies|guidelines|principles|rules)\b",
    r"\bnot something (?:that )?(?:i|we) (?:can|am|are|do|will)\b",
    r"\b(?:as an ai|as a language model)\b[^.!?\n]{0,60}\bnot\b",
    r"\b(?:i|we) do not (?:have the (?:ability|capability|capacity)|identify|do (?:facial|face) recognition)\b",
    r"\b(?:identifying|identification of|recogni[sz]ing) (?:\w+ ){1,3}(?:is|are) not (?:\w+ )?(?:supported|"
    r"allowed|permitted|possible)\b",
    r"^(?:(?:i am )?(?:very |so )?sorry|(?:my )?apologies|request (?:denied|refused)|no comment)[.!]?$",
    r"^(?:can not|unable to|not able to) (?:help|assist|comply|identify|determine|compare|answer)\b",
]
_OTHERS = [
    r"\bich (?:kann|darf|werde|möchte)\b[^.!?\n]{0,80}\bnicht\b",
    r"\b(?:kann|darf|werde|möchte) ich\b[^.!?\n]{0,80}\b(?:nicht|keine?n?)\b",
    r"\bich (?:kann|darf|werde) (?:\w+ ){0,3}keine?n?\b",
    r"\btut mir leid\b|\bich bin nicht in der lage\b|\bes ist mir nicht (?:möglich|erlaubt)\b",
    r"\bje ne (?:peux|puis|suis|saurais)\b|\bje (?:suis )?désolée?\b|^désolée?\b|\bje refuse\b|\bil m'est impossible\b",
    r"\bno (?:puedo|me es posible|estoy autorizad[oa]|tengo permitido)\b|\blo siento\b|\bme temo que no\b",
    r"抱歉|对不起|對不起|无法(?:识别|确定|判断|提供|回答|帮助|协助|比较|满足|处理)|無法|不能(?:识别|确定|判断|提供|回答|帮助|协助|比较)|恕我",
    r"申し訳|できません|出来ません|お答えでき|いたしかねます|ごめんなさい|お断り",
]
_REFUSAL = re.compile("|".join(f"(?:{p})" for p in _ENGLISH + _OTHERS), re.MULTILINE)


def refused(text: str) -> bool:
    """Whether the text declines to answer, in English, German, French, Spanish, Chinese or Japanese.

    "I cannot determine" counts: the speaker declines. "It is hard to say", "cannot be determined" and "I cannot say
    for sure" do not: they are doubt. A text may refuse and still answer ("I can't identify people, but they look
    like the same person"); this function says True, and a kind's ``parse`` takes the answer if it is clear. At most
    the first 20,000 characters are read.
    """
    return refuses(plain(without_thoughts(text[:LIMIT])))


def refuses(said: str) -> bool:
    """Whether plain text (see `plain.plain`) declines to answer."""
    return _REFUSAL.search(said) is not None
