"""Messages written for these tests: a hospital called Lakeside, and people who do not exist."""

SENT = "20260303101500-0500"


def msh(
    kind: str, control_id: str = "LK-1", *, version: str = "2.5.1", accept: str = "", apply: str = ""
) -> str:
    return f"MSH|^~\\&|LAKEADT|LAKESIDE|TC|IOP|{SENT}||{kind}|{control_id}|P|{version}|||{accept}|{apply}"


PID = (
    "PID|1||40071^^^LAKESIDE^MR~900-11-2222^^^USSSA^SS||Okafor^Ngozi^Ada||19910412|F|||"
    "12 Shore Rd^Apt 4^Erie^PA^16501^USA||^PRN^PH^^1^814^5550100~^NET^Internet^ngozi@example.org||spa"
)
PV1 = (
    "PV1|1|I|3W^301^A||||||||||||||||V-778|||||||||||||||||01||||||||20260225083000-0500|20260303094500-0500"
)


def text(*segments: str, end: str = "\r") -> bytes:
    return (end.join(segments) + end).encode()


def discharge(*extra: str, control_id: str = "LK-3") -> bytes:
    return text(
        msh("ADT^A03^ADT_A03", control_id),
        "EVN|A03|20260303101400-0500",
        PID,
        PV1,
        "DG1|1||F32.2^Major depressive disorder, severe^I10C|||F|||||||||2",
        "DG1|2||F10.20^Alcohol dependence^I10C|||F|||||||||1",
        *extra,
    )


def referral(*extra: str) -> bytes:
    return text(
        msh("REF^I12^REF_I12", "LK-9"),
        "RF1|P|S|PSY^Psychiatric^HL70281||O|R-5501^LAKEREF|20260304||20260302|D^Discharge planning^L",
        "PRD|RP|Weiss^Miriam^^^Dr|||^WPN^PH^^1^814^5550111|||||Lakeside Behavioral Unit",
        "PRD|RT|Someone^Else",
        PID,
        "DG1|1||F32.2^Major depressive disorder, severe^I10C",
        "IN1|1|KS^Keystone Gold|77|Keystone Mutual||||||||||||||||||||||||||||||||KM-100200",
        "OBX|1|RP|11488-4^Consult note^LN||note.pdf",
        *extra,
    )
