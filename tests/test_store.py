from secondsticks.store import store


def test_is_a_folder_at_home_unless_told(settings, tmp_path):
    assert (settings.HOME / "store").as_uri() == settings.SECONDSTICKS_STORE
    settings.SECONDSTICKS_STORE = (tmp_path / "shared").as_uri()
    store().put("champion.json", b"{}")
    assert (tmp_path / "shared" / "champion.json").read_bytes() == b"{}"
    assert store() is store()
