"""An independent judge, veraPDF, on what Typst wrote."""

import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from sinks.invoices.render import render
from stack import jars
from stack.jars import JarSet
from tests.unit.sinks.rides import SWIFT, invoiced, ride


@pytest.mark.requirement("MOB-25")
def test_verapdf_takes_invoices_for_pdf_a_3b(tmp_path: Path) -> None:
    jars.fetch({JarSet.VERAPDF}, lambda _: None)
    long = replace(SWIFT, legal_name="Ελληνική Κινητικότητα και Συνεργάτες Α.Ε. " * 3, address=("Ω" * 60,) * 4)
    unbroken = replace(ride(currency="JPY"), trip_id="t" * 96, rider_id="r" * 96)
    for name, made in (("usual", invoiced()), ("long", invoiced(unbroken, long))):
        (tmp_path / f"{name}.pdf").write_bytes(render(made))

    judged = subprocess.run(
        ["java", "-cp", jars.class_path(JarSet.VERAPDF), "org.verapdf.apps.GreenfieldCliWrapper",
         "--flavour", "3b", "--format", "text", *map(str, sorted(tmp_path.glob("*.pdf")))],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert [line.split()[0] for line in judged.stdout.splitlines()] == ["PASS", "PASS"], judged.stderr
