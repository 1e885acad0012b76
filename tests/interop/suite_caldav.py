"""The Python library `caldav`: what a program asks of calendars."""
import datetime as dt
import zoneinfo

from penfold_dav import calendar, component, event, todo
from target import PASSWORD, Skip, apart

apart("python")
import caldav  # noqa: E402
from caldav.elements import dav  # noqa: E402
from caldav.lib import error  # noqa: E402

UTC = dt.timezone.utc
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def connect(t, user=None):
    user = user or t.a
    t.dav(user)
    return caldav.DAVClient(url=t.url, username=user, password=PASSWORD)


def at(day, hour=0, month=12, year=2026):
    return dt.datetime(year, month, day, hour, tzinfo=UTC)


def own(client, kind="VEVENT"):
    """The calendar that somebody has, of this kind."""
    found = [one for one in client.get_principal().get_calendars() if kind in one.get_supported_components()]
    assert found, f"no calendar takes {kind}"
    return found[0]


def found(objects):
    """The summaries, sorted."""
    return sorted(str(part.get("SUMMARY")) for one in objects for part in one.icalendar_instance.walk() if part.name in ("VEVENT", "VTODO", "VJOURNAL"))


def test_principal(t):
    """Who signs in finds themselves and their calendars; who gives a wrong password finds nothing."""
    client = connect(t)
    principal = client.get_principal()
    assert client.check_cdav_support()
    if not t.peer:
        assert any(t.a in str(address) for address in principal.calendar_user_address_set()), principal.calendar_user_address_set()
        kinds = [set(one.get_supported_components()) for one in principal.get_calendars()]
        assert sorted(map(sorted, kinds)) == [["VEVENT"], ["VTODO"]], kinds
    wrong = caldav.DAVClient(url=t.url, username=t.a, password="wrong")
    try:
        wrong.get_principal().get_calendars()
    except error.AuthorizationError:
        return
    raise AssertionError("a wrong password went through")


def test_make_and_delete(t):
    client = connect(t)
    principal = client.get_principal()
    made = principal.make_calendar(name="Travel & more", cal_id="travel")
    made.save_event(event("one", "Flight"))
    assert "Travel & more" in [one.get_display_name() for one in principal.get_calendars()]
    made.set_properties([dav.DisplayName("Travel")])
    assert made.get_property(dav.DisplayName(), use_cached=False) == "Travel"
    tasks = principal.make_calendar(name="Chores", cal_id="chores", supported_calendar_component_set=["VTODO"])
    assert tasks.get_supported_components() == ["VTODO"]
    tasks.save_todo(todo("t", "Dishes"))
    if not t.peer:
        try:
            tasks.save_event(event("e", "No task"))
            raise AssertionError("an event went into a list of tasks")
        except (error.PutError, error.AuthorizationError):
            pass
    for one in (made, tasks):
        one.delete()
    assert not {"Travel", "Chores"} & {one.get_display_name() for one in principal.get_calendars()}
    assert found(own(client).get_events()) == []


def test_events(t):
    """What was saved is found by its UID, changes, and goes; a change of what another changed first is refused."""
    client = connect(t)
    own_calendar = own(client)
    own_calendar.save_event(dtstart=at(1, 9), dtend=at(1, 10), summary="Grüße", uid="made@test", location="Room, 1; left", description="one\ntwo")
    one = own_calendar.get_event_by_uid("made@test")
    part = one.icalendar_component
    assert str(part["SUMMARY"]) == "Grüße" and str(part["LOCATION"]) == "Room, 1; left" and str(part["DESCRIPTION"]) == "one\ntwo"
    one.icalendar_component["SUMMARY"] = "Changed"
    one.save()
    assert found(own_calendar.get_events()) == ["Changed"]
    again = own_calendar.get_event_by_uid("made@test")
    again.delete()
    assert own_calendar.get_events() == []
    try:
        own_calendar.get_event_by_uid("made@test")
        raise AssertionError("it is still there")
    except error.NotFoundError:
        pass


def test_search_by_time(t):
    """Instances are found in their time and nowhere else, with moved, cancelled and zoned ones."""
    own_calendar = own(connect(t))
    own_calendar.save_event(event("single", "Single", "20261203T090000Z", "20261203T100000Z"))
    own_calendar.save_event(event("day", "All day", "VALUE=DATE:20261204", "VALUE=DATE:20261205"))
    # Every Tuesday at nine in Berlin, over the end of summer time; one is left out, one is moved to Thursday.
    weekly = event("weekly", "Weekly", "TZID=Europe/Berlin:20261006T090000", "TZID=Europe/Berlin:20261006T100000", "RRULE:FREQ=WEEKLY;COUNT=12", "EXDATE;TZID=Europe/Berlin:20261208T090000")
    moved = component("VEVENT", "weekly", "RECURRENCE-ID;TZID=Europe/Berlin:20261201T090000", "DTSTART;TZID=Europe/Berlin:20261203T150000", "DTEND;TZID=Europe/Berlin:20261203T160000",
                      "SUMMARY:Weekly\\, moved").replace("\n", "\r\n")
    own_calendar.save_event(weekly.replace("END:VCALENDAR", moved + "END:VCALENDAR"))

    def search(start, end, **more):
        return own_calendar.search(event=True, start=start, end=end, post_filter=False, **more)

    def times(objects):
        return sorted(part["DTSTART"].dt for one in objects for part in one.icalendar_instance.walk("VEVENT"))
    # The whole objects.
    assert {one.id for one in search(at(3), at(4))} == {"single", "weekly"}
    assert {one.id for one in search(at(4), at(5))} == {"day"}
    assert {one.id for one in search(at(8), at(9))} == set(), "the one that was left out"
    assert {one.id for one in search(at(1, 0), at(1, 23))} == set(), "the one that was moved away"
    assert {one.id for one in search(at(22), at(23))} == {"weekly"} and search(at(23), at(31)) == []
    # By instances, as the server makes them (RFC 4791 §9.6.5).
    assert times(search(at(2), at(4), server_expand=True)) == [at(3, 9), at(3, 14)]
    assert times(search(at(20, month=10), at(28, month=10), server_expand=True)) == [at(20, 7, month=10), at(27, 8, month=10)], "over the end of summer time"
    expanded = search(at(2), at(23), server_expand=True)
    assert found(expanded) == ["All day", "Single", "Weekly", "Weekly", "Weekly, moved"], found(expanded)
    assert all("RRULE" not in part for one in expanded for part in one.icalendar_instance.walk("VEVENT"))
    # The library expands by itself: the same.
    assert found(own_calendar.search(event=True, start=at(2), end=at(23), expand=True)) == found(expanded)
    # An open end.
    assert {one.id for one in own_calendar.search(event=True, start=at(10), post_filter=False)} == {"weekly"}


def test_search_by_text(t):
    own_calendar = own(connect(t))
    own_calendar.save_event(event("a", "Budget of Bücher", "20261203T090000Z", "20261203T100000Z", "CATEGORIES:WORK", "LOCATION:Here"))
    own_calendar.save_event(event("b", "Lunch", "20261204T090000Z", "20261204T100000Z", "CATEGORIES:PRIVATE"))

    def search(**more):
        return found(own_calendar.search(event=True, post_filter=False, **more))
    assert search(summary="Budget") == ["Budget of Bücher"] and search(summary="dinner") == []
    assert search(category="PRIVATE") == ["Lunch"]
    assert search(summary="lunch", start=at(3), end=at(4)) == [] and search(summary="Lunch", start=at(4), end=at(5)) == ["Lunch"]
    assert search(no_location=True) == ["Lunch"]


def test_todos(t):
    tasks = own(connect(t), "VTODO")
    tasks.save_todo(summary="Taxes", due=at(10), priority=1, uid="taxes")
    tasks.save_todo(summary="Dishes", due=at(2), uid="dishes")
    tasks.save_todo(summary="Some day", uid="someday")
    assert [str(one.icalendar_component["SUMMARY"]) for one in tasks.get_todos(sort_keys=("due",))][:2] == ["Dishes", "Taxes"]
    dishes = tasks.get_todo_by_uid("dishes")
    dishes.complete(completion_timestamp=at(1, 12))
    assert found(tasks.get_todos()) == ["Some day", "Taxes"] and len(tasks.get_todos(include_completed=True)) == 3
    due = tasks.search(todo=True, start=at(9), end=at(11), include_completed=True, post_filter=False)
    assert "Taxes" in found(due) and "Dishes" not in found(due), found(due)


def test_recurring(t):
    """One instance is changed, and the series goes on."""
    own_calendar = own(connect(t))
    own_calendar.save_event(event("daily", "Stand-up", "TZID=Europe/Berlin:20261201T091500", "TZID=Europe/Berlin:20261201T093000", "RRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20270101T000000Z"))
    instances = own_calendar.search(event=True, start=at(7), end=at(12), expand=True)
    assert len(instances) == 5
    second = sorted(instances, key=lambda one: one.icalendar_component["DTSTART"].dt)[1]
    second.icalendar_component["SUMMARY"] = "Stand-up with guests"
    second.save()
    whole = own_calendar.get_event_by_uid("daily")
    assert len(list(whole.icalendar_instance.walk("VEVENT"))) == 2
    assert found(own_calendar.search(event=True, start=at(7), end=at(12), server_expand=True, post_filter=False)) == ["Stand-up"] * 4 + ["Stand-up with guests"]
    # Forever, from long ago.
    own_calendar.save_event(event("birthday", "Birthday", "VALUE=DATE:19800229", "VALUE=DATE:19800301", "RRULE:FREQ=YEARLY"))
    assert found(own_calendar.search(event=True, start=at(1, month=2, year=2060), end=at(1, month=3, year=2060), server_expand=True, post_filter=False)) == ["Birthday"]
    assert own_calendar.search(event=True, start=at(1, month=2, year=2061), end=at(1, month=4, year=2061), post_filter=False) == [], "29 February is not in every year"


def test_sync_token(t):
    """RFC 6578: only what changed, by the library's own ways."""
    own_calendar = own(connect(t))
    for i in range(5):
        own_calendar.save_event(event(f"s{i}", f"Event {i}"))
    first = own_calendar.get_objects_by_sync_token(load_objects=True)
    assert len(list(first)) == 5 and first.sync_token
    same = own_calendar.get_objects_by_sync_token(sync_token=first.sync_token)
    assert len(list(same)) == 0
    changed = own_calendar.get_event_by_uid("s1")
    changed.icalendar_component["SUMMARY"] = "Changed"
    changed.save()
    own_calendar.get_event_by_uid("s2").delete()
    own_calendar.save_event(event("s9", "New"))
    updated, deleted = first.sync()
    assert found(updated) == ["Changed", "New"] and len(deleted) == 1, (found(updated), deleted)
    assert not getattr(first, "_is_fake_token", False)
    assert not any(map(len, first.sync()))


def test_free_busy(t):
    own_calendar = own(connect(t))
    own_calendar.save_event(event("busy", "Busy", "20261203T090000Z", "20261203T100000Z"))
    own_calendar.save_event(event("series", "Series", "20261203T130000Z", "20261203T140000Z", "RRULE:FREQ=DAILY;COUNT=2"))
    own_calendar.save_event(event("free", "Free", "20261203T110000Z", "20261203T120000Z", "TRANSP:TRANSPARENT"))
    own_calendar.save_event(event("off", "Cancelled", "20261203T150000Z", "20261203T160000Z", "STATUS:CANCELLED"))
    own_calendar.save_event(event("maybe", "Maybe", "20261203T170000Z", "20261203T180000Z", "STATUS:TENTATIVE"))
    answer = own_calendar.freebusy_request(at(3), at(5)).icalendar_instance
    periods = []
    for part in answer.walk("VFREEBUSY"):
        lines = part.get("FREEBUSY", [])
        for line in lines if isinstance(lines, list) else [lines]:
            for period in (line if isinstance(line, list) else [line]):
                start, end = (period.start, period.end) if hasattr(period, "start") else period.dt
                periods.append((start, start + end if isinstance(end, dt.timedelta) else end, str(line.params.get("FBTYPE", "BUSY"))))
    # A server may also say that a time is free.
    busy = sorted(period for period in periods if period[2] != "FREE")
    assert busy == [(at(3, 9), at(3, 10), "BUSY"), (at(3, 13), at(3, 14), "BUSY"), (at(3, 17), at(3, 18), "BUSY-TENTATIVE"), (at(4, 13), at(4, 14), "BUSY")], periods


def test_journals(t):
    """Where they are offered."""
    client = connect(t)
    try:
        notes = client.get_principal().make_calendar(name="Notes", cal_id="notes", supported_calendar_component_set=["VJOURNAL"])
    except error.DAVError as refused:
        raise Skip("journals are not offered") from refused
    notes.save_journal(calendar(component("VJOURNAL", "j1", "DTSTART;VALUE=DATE:20261201", "SUMMARY:Note", "DESCRIPTION:Grüße")))
    assert found(notes.get_journals()) == ["Note"]
    assert found(notes.search(journal=True, start=at(1), end=at(2), post_filter=False)) == ["Note"]
    assert found(notes.search(journal=True, start=at(3), end=at(4), post_filter=False)) == []
