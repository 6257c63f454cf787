"""crmnotesctl db backup into a directory, and what is recorded of every backup."""


def test_a_copy_whose_notes_cannot_all_be_found_is_not_kept(operator, world):
    """The former copies stay what they are: the last ones in order."""
    site = operator.site
    operator.add_notes(world, 3)
    operator.change("UPDATE notes SET previous = 0")
    copy = site.directory / "copy.db"
    operator.fails(65, "db", "backup", copy, says="not every note is in the chain of its contact")
    assert list(site.directory.glob("copy.db*")) == []
