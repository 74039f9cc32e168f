/*
 * Whom the handler talks TLS to: the Devin stand-in behind a door with a private authority's
 * certificate, and doors that it must not pass, which let anybody in who does not look.
 */
#include "base/arena.h"
#include "support/control.h"
#include "support/door.h"
#include "support/duo.h"
#include "support/match.h"

#define PATH "/api/trigger-devin"

static const char *settings_for(struct e2e *e2e, const struct door *door)
{
    struct text text = text_in(e2e->mem, 1024);
    text_add_string(&text, "DEVIN_RETRIES=1\nDEVIN_API_URL=https://localhost:");
    text_add_number(&text, door_port(door));
    text_add_string(&text, "\nSSL_CERT_FILE=");
    text_add_string(&text, door_ca_file(door));
    return text_view(&text).at;
}

static bool is_passed(struct e2e *e2e, const struct http_answer *answer, int creates)
{
    return (answer->status == 200 && view_contains(answer->body, VIEW("\"action\":\"created\""))
            && creates == 1)
           || complain(e2e->why, "no session came of it", answer->body);
}

static bool is_refused(struct e2e *e2e, const struct http_answer *answer, int creates)
{
    return (answer->status == 500 && creates == 0
            && view_contains(answer->body, VIEW("Network error to Devin API")))
           || complain(e2e->why, "a door was passed that must not be", answer->body);
}

static bool names_its_authority(struct e2e *e2e, const struct duo *duo, const struct door *door)
{
    struct text wanted = text_in(e2e->mem, 256);
    struct view log = program_out(&duo->handler, e2e->mem);
    text_add_string(&wanted, "\"caFile\":\"");
    text_add_string(&wanted, door_ca_file(door));
    return view_contains(log, text_view(&wanted))
           || complain(e2e->why, "the log does not say which authorities are trusted", log);
}

static bool try_at(struct e2e *e2e, struct door *door, bool is_welcome)
{
    struct duo duo;
    struct http_answer answer = { 0 };
    if (!duo_up(e2e, settings_for(e2e, door), &duo))
        return false;
    door_lead_to(door, duo.devin.port);
    bool ok =
        http_call(duo.handler.port, e2e_alert(e2e, PATH, "tls"), DUO_PATIENCE_MS, e2e->mem, &answer)
        || complain(e2e->why, "no answer", VIEW(""));
    int creates = duo_count_creates(e2e, &duo);
    ok = ok && (is_welcome ? is_passed(e2e, &answer, creates) : is_refused(e2e, &answer, creates));
    ok = ok && names_its_authority(e2e, &duo, door);
    return duo_down(e2e, &duo) && ok;
}

static enum test_result try_door(struct e2e *e2e, enum door_certificate certificate,
                                 enum door_tls tls, bool is_welcome)
{
    struct door *door = door_open(certificate, tls);
    if (door == NULL)
        return e2e_fail(e2e, "the door could not be made", VIEW(""));
    bool ok = try_at(e2e, door, is_welcome);
    if (ok && !door_lets_in(door))
        ok = complain(e2e->why, "nobody at all is let in: that proves nothing", VIEW(""));
    door_close(door);
    return ok ? TEST_PASSED : TEST_FAILED;
}

static enum test_result takes_tls_1_2(struct e2e *e2e)
{
    return try_door(e2e, DOOR_GOOD, DOOR_TLS_1_2, true);
}

static enum test_result takes_tls_1_3(struct e2e *e2e)
{
    return try_door(e2e, DOOR_GOOD, DOOR_TLS_1_3, true);
}

static enum test_result refuses_tls_1_1(struct e2e *e2e)
{
    return try_door(e2e, DOOR_GOOD, DOOR_TLS_1_1, false);
}

static enum test_result refuses_wrong_name(struct e2e *e2e)
{
    return try_door(e2e, DOOR_WRONG_NAME, DOOR_TLS_ANY, false);
}

static enum test_result refuses_expired(struct e2e *e2e)
{
    return try_door(e2e, DOOR_EXPIRED, DOOR_TLS_ANY, false);
}

static enum test_result refuses_not_yet(struct e2e *e2e)
{
    return try_door(e2e, DOOR_NOT_YET, DOOR_TLS_ANY, false);
}

static enum test_result refuses_self_signed(struct e2e *e2e)
{
    return try_door(e2e, DOOR_SELF_SIGNED, DOOR_TLS_ANY, false);
}

static enum test_result refuses_stranger(struct e2e *e2e)
{
    return try_door(e2e, DOOR_STRANGER, DOOR_TLS_ANY, false);
}

const struct e2e_test e2e_trust[] = {
    { "trust: TLS 1.2 with a certificate of the authority that SSL_CERT_FILE names",
      takes_tls_1_2 },
    { "trust: TLS 1.3 with the same", takes_tls_1_3 },
    { "trust: TLS 1.1 is refused", refuses_tls_1_1 },
    { "trust: a certificate for another name is refused", refuses_wrong_name },
    { "trust: an expired certificate is refused", refuses_expired },
    { "trust: a certificate of the future is refused", refuses_not_yet },
    { "trust: a self-signed certificate is refused", refuses_self_signed },
    { "trust: an authority of the same name is not the same", refuses_stranger },
    { 0 },
};
