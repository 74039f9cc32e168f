/*
 * The Devin stand-in alone: what it must answer, so that a case that passes on it means something.
 * A story is a list of calls on a stand-in that was just reset, whose ids are therefore known.
 */
#include "base/arena.h"
#include "support/case.h"
#include "support/control.h"
#include "support/e2e.h"
#include "support/http.h"
#include "support/match.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PATIENCE_MS = 30000, CROWD = 1000 };

#define APK   "apk_user_standin"
#define COG   "cog_standin"
#define HEX_1 "e220a8397b1dcdaf6e789e6aa1b965f4"
#define HEX_2 "06c45d188009454ff88bb8a8724c81ec"
#define ORG   "org-0123456789abcdef0123456789abcdef"
#define V3    "/v3/organizations/" ORG

/* In what is sent and wanted ' stands for ". */
struct step {
    const char *method, *target;
    const char *key;  /* NULL: none */
    const char *body; /* NULL: none */
    int status;       /* 0: no answer at all */
    const char *wanted;
    const char *lacks; /* lines that must not be in the answer; NULL: any */
};

/* clang-format off */
static const struct step v1_sessions[] = {
    { "POST", "/v1/sessions", APK, "{'prompt':'p','title':'[Sev1] a','tags':['x','y z'],'idempotent':true}", 200,
      "{'session_id':'devin-" HEX_1 "','url':'*','is_new_session':true}", NULL },
    { "POST", "/v1/sessions", APK, "{'prompt':'p','title':'[Sev1] a','tags':['x','y z'],'idempotent':true}", 200,
      "{'session_id':'devin-" HEX_1 "','is_new_session':false}", NULL },
    { "POST", "/v1/sessions", APK, "{'prompt':'q','unknown':1}", 200, "{'session_id':'devin-" HEX_2 "'}", "is_new_session" },
    { "GET", "/v1/sessions/devin-" HEX_1, APK, NULL, 200,
      "{'status_enum':'working','tags':['x','y z'],'created_at':'*','messages':[{'type':'initial_user_message','message':'p'}]}", NULL },
    { "GET", "/v1/sessions/" HEX_1, APK, NULL, 200, "{'session_id':'devin-" HEX_1 "'}", NULL },
    { "GET", "/v1/sessions/" HEX_1, APK, NULL, 200, "{'status_enum':'finished'}", NULL },
    { "GET", "/v1/sessions/devin-none", APK, NULL, 404, "{'detail':'Session not found'}", NULL },
    { "GET", "/v1/sessions", APK, NULL, 200,
      "{'sessions':[{'session_id':'devin-" HEX_2 "','tags':null,'status':'running'},"
      "{'session_id':'devin-" HEX_1 "','status':'finished','status_enum':'finished','title':'[Sev1] a','updated_at':'*'}]}", "'url'\n'messages'" },
    { "GET", "/v1/sessions?limit=1&offset=1", APK, NULL, 200, "{'sessions':[{'session_id':'devin-" HEX_1 "'}]}", NULL },
    { "GET", "/v1/sessions?limit=1&offset=2", APK, NULL, 200, "{'sessions':[]}", NULL },
    { "GET", "/v1/sessions?limit=0", APK, NULL, 422, "{'detail':[{'loc':['query','limit']}]}", NULL },
    { "GET", "/v1/sessions?tags=none&tags=y%20z", APK, NULL, 200, "{'sessions':[{'session_id':'devin-" HEX_1 "'}]}", NULL },
    { "GET", "/v1/sessions?tags=y", APK, NULL, 200, "{'sessions':[]}", NULL },
    { "PUT", "/v1/sessions/" HEX_2 "/tags", APK, "{'tags':['new','new']}", 200, "{'detail':'Tags updated successfully'}", NULL },
    { "GET", "/v1/sessions?tags=new", APK, NULL, 200, "{'sessions':[{'session_id':'devin-" HEX_2 "','tags':['new']}]}", NULL },
    { "PUT", "/v1/sessions/" HEX_2 "/tags", APK, "{'tags':[1]}", 422, "{'detail':[{'loc':['body','tags',0]}]}", NULL },
    { "POST", "/v1/sessions", APK, "{'tags':'x'}", 422,
      "{'detail':[{'loc':['body','prompt'],'type':'missing'},{'loc':['body','tags'],'type':'list_type'}]}", NULL },
    { "DELETE", "/v1/sessions/" HEX_1, APK, NULL, 405, "{'detail':'*'}", NULL },
    { 0 },
};

static const struct step v1_messages[] = {
    { "POST", "/v1/sessions", APK, "{'prompt':'p'}", 200, "{'session_id':'*'}", NULL },
    { "POST", "/v1/sessions/" HEX_1 "/message", APK, "{'message':'one'}", 200, "null", NULL },
    { "POST", "/v1/sessions/" HEX_1 "/message", APK, "{}", 422, "{'detail':[{'loc':['body','message']}]}", NULL },
    { "POST", "/control/session/newest", NULL, "{'status_enum':'suspend_requested'}", 200, "{'status_enum':'suspend_requested'}", NULL },
    { "POST", "/v1/sessions/" HEX_1 "/message", APK, "{'message':'lost'}", 200, "{'detail':'*'}", NULL },
    { "POST", "/control/session/newest", NULL, "{'status_enum':'expired'}", 200, "{'status':'expired'}", NULL },
    { "POST", "/v1/sessions/" HEX_1 "/message", APK, "{'message':'refused'}", 400, "{'detail':'*'}", NULL },
    { "POST", "/control/session/" HEX_1, NULL, "{'status':'blocked','status_enum':'blocked'}", 200, "{'status':'blocked'}", NULL },
    { "GET", "/v1/sessions", APK, NULL, 200, "{'sessions':[{'status_enum':'blocked'}]}", NULL },
    { "POST", "/v1/sessions/" HEX_1 "/message", APK, "{'message':'two'}", 200, "null", NULL },
    { "GET", "/v1/sessions/" HEX_1, APK, NULL, 200,
      "{'status_enum':'working','messages':[{'message':'p'},{'type':'user_message','message':'one'},{'message':'two','event_id':'*'}]}", NULL },
    { "POST", "/control/session/devin-" HEX_1, NULL, "{'status':'stopped'}", 200, "{'status':'stopped','status_enum':null}", NULL },
    { "POST", "/control/session/newest", NULL, "{'status':null}", 200, "{'status_enum':'working'}", NULL },
    { "POST", "/control/payloads", NULL, "{'sessionId':'" HEX_1 "','payload':'x','action':'messaged'}", 200, "null", NULL },
    { "POST", "/control/payloads", NULL, "{'sessionId':'nobody','payload':'x'}", 404, "{'detail':'*'}", NULL },
    { "POST", "/control/payloads", NULL, "{'sessionId':'" HEX_1 "','payload':{}}", 422, "{'detail':[{'loc':['body','payload']}]}", NULL },
    { "POST", "/control/session/nobody", NULL, "{}", 404, "{'detail':'*'}", NULL },
    { "POST", "/control/session/newest", NULL, "{'state':'x'}", 422, "{'detail':[{'loc':['body','state']}]}", NULL },
    { 0 },
};

static const struct step v1_playbooks[] = {
    { "POST", "/control/options", NULL, "{'playbooks':[]}", 200, "null", NULL },
    { "GET", "/v1/playbooks", APK, NULL, 200, "[]", NULL },
    { "POST", "/control/options", NULL, "{'playbooks':[{'title':'devin-triage-workflow','macro':'!t','playbook_id':'playbook-1'}]}", 200, "null", NULL },
    { "POST", "/v1/playbooks", APK, "{'title':'t','body':'b'}", 200, "{'playbook_id':'*','title':'t','body':'b','macro':null}", NULL },
    { "POST", "/v1/playbooks", APK, "{'title':'','body':'b'}", 422, "{'detail':[{'loc':['body','title']}]}", NULL },
    { "PUT", "/v1/playbooks/playbook-1", APK, "{'title':'u','body':'c','macro':'!u'}", 200, "{'status':'success'}", NULL },
    { "PUT", "/v1/playbooks/playbook-2", APK, "{'title':'u','body':'c'}", 404, "{'detail':'*'}", NULL },
    { "GET", "/v1/playbooks/playbook-1", APK, NULL, 200, "{'title':'u'}", NULL },
    { "GET", "/v1/playbooks", APK, NULL, 200, "[{'playbook_id':'playbook-1','title':'u','body':'c','macro':'!u'},{'title':'t'}]", NULL },
    { "POST", "/control/options", NULL, "{'playbooks_as_items':true}", 200, "null", NULL },
    { "GET", "/v1/playbooks", APK, NULL, 200, "{'items':[{'title':'u'},{'title':'t'}]}", NULL },
    { "POST", "/v1/sessions", APK, "{'prompt':'p','playbook_id':'devin-triage-workflow'}", 200, "{'session_id':'*'}", NULL },
    { "POST", "/control/options", NULL, "{'strict_playbooks':true}", 200, "null", NULL },
    { "POST", "/v1/sessions", APK, "{'prompt':'p','playbook_id':'devin-triage-workflow'}", 400, "{'detail':'Playbook ID does not exist'}", NULL },
    { "POST", "/v1/sessions", APK, "{'prompt':'p','playbook_id':'playbook-1'}", 200, "{'session_id':'*'}", NULL },
    { 0 },
};

static const struct step v3_sessions[] = {
    { "GET", "/v3/self", COG, NULL, 200, "{'principal_type':'service_user','service_user_id':'*','org_id':'" ORG "'}", NULL },
    { "POST", V3 "/sessions", COG, "{'prompt':'p','title':'t','tags':['a','b'],'devin_mode':'fast'}", 200,
      "{'session_id':'" HEX_1 "','url':'*','status':'new','tags':['a','b'],'org_id':'" ORG "','acus_consumed':0,'pull_requests':[]}",
      "status_detail\nis_new_session\n+00:00" },
    { "POST", V3 "/sessions", COG, "{'prompt':'p','idempotent':true,'snapshot_id':'s','unlisted':false}", 422,
      "{'type':'about:blank','title':'Unprocessable Entity','status':422,'instance':'" V3 "/sessions','errors':[{'loc':['body','idempotent']},{'loc':['body','snapshot_id']},{'loc':['body','unlisted']}]}", NULL },
    { "POST", V3 "/sessions", COG, "{'prompt':'p','devin_mode':''}", 422, "{'errors':[{'loc':['body','devin_mode'],'type':'enum'}]}", NULL },
    { "POST", V3 "/sessions", COG, "{'prompt'", 422, "{'errors':[{'type':'json_invalid'}]}", NULL },
    { "GET", V3 "/sessions/devin-" HEX_1, COG, NULL, 200, "{'session_id':'" HEX_1 "','status':'running','status_detail':'working','structured_output':null}", NULL },
    { "GET", V3 "/sessions/" HEX_1, COG, NULL, 404, "{'title':'Not Found','status':404,'detail':'*'}", NULL },
    { "POST", "/control/options", NULL, "{'works_on':true}", 200, "null", NULL },
    { "GET", V3 "/sessions/devin-" HEX_1, COG, NULL, 200, "{'status_detail':'working'}", NULL },
    { "GET", V3 "/sessions/devin-" HEX_1, COG, NULL, 200, "{'status_detail':'working'}", NULL },
    { "GET", V3 "/sessions/devin-" HEX_1, COG, NULL, 200, "{'status_detail':'working'}", NULL },
    { "POST", "/control/options", NULL, "{'works_on':false}", 200, "null", NULL },
    { "GET", V3 "/sessions/devin-" HEX_1, COG, NULL, 200, "{'status_detail':'working'}", NULL },
    { "GET", V3 "/sessions/devin-" HEX_1, COG, NULL, 200, "{'status':'running','status_detail':'finished'}", NULL },
    { "POST", "/control/options", NULL, "{'bare_ids':false}", 200, "null", NULL },
    { "POST", V3 "/sessions", COG, "{'prompt':'q','tags':['c']}", 200, "{'session_id':'devin-" HEX_2 "'}", NULL },
    { "POST", "/control/options", NULL, "{'page_size':1}", 200, "null", NULL },
    { "GET", V3 "/sessions?first=200", COG, NULL, 200, "{'items':[{'session_id':'devin-" HEX_2 "','status_detail':null}],'has_next_page':true,'end_cursor':'cursor-2','total':2}", NULL },
    { "GET", V3 "/sessions?after=cursor-2", COG, NULL, 200, "{'items':[{'session_id':'devin-" HEX_1 "'}],'has_next_page':false,'end_cursor':null,'total':2}", NULL },
    { "GET", V3 "/sessions?after=2", COG, NULL, 400, "{'detail':'*'}", NULL },
    { "GET", V3 "/sessions?first=201", COG, NULL, 422, "{'errors':[{'loc':['query','first']}]}", NULL },
    { "POST", "/control/options", NULL, "{'page_size':0}", 200, "null", NULL },
    { "GET", V3 "/sessions?tags=a&tags=c", COG, NULL, 200, "{'items':[{'tags':['c']},{'tags':['a','b']}],'total':2}", NULL },
    { "GET", V3 "/sessions?tags=b", COG, NULL, 200, "{'items':[{'tags':['a','b']}],'has_next_page':false,'total':1}", NULL },
    { "GET", V3 "/sessions?session_ids=devin-" HEX_1, COG, NULL, 200, "{'items':[{'session_id':'devin-" HEX_1 "'}]}", NULL },
    { "POST", "/control/session/" HEX_1, NULL, "{'is_archived':true,'age_s':4000000}", 200, "{'is_archived':true}", NULL },
    { "GET", V3 "/sessions?is_archived=false", COG, NULL, 200, "{'items':[{'session_id':'devin-" HEX_2 "'}]}", NULL },
    { "GET", V3 "/sessions?created_before=4000000000&created_after=1", COG, NULL, 200, "{'total':2}", NULL },
    { "GET", V3 "/sessions?created_after=4000000000", COG, NULL, 200, "{'items':[]}", NULL },
    { 0 },
};

static const struct step v3_messages[] = {
    { "POST", V3 "/sessions", COG, "{'prompt':'p'}", 200, "{'status':'new'}", NULL },
    { "POST", "/control/session/newest", NULL, "{'status':'suspended','status_detail':'inactivity'}", 200, "{'status':'suspended','status_detail':'inactivity'}", NULL },
    { "GET", V3 "/sessions", COG, NULL, 200, "{'items':[{'status':'suspended','status_detail':'inactivity'}]}", NULL },
    { "POST", V3 "/sessions/devin-" HEX_1 "/messages", COG, "{'message':'one'}", 200, "{'session_id':'" HEX_1 "','status':'running'}", "status_detail" },
    { "POST", V3 "/sessions/devin-" HEX_1 "/messages", COG, "{'message':'one','text':1}", 422, "{'errors':[{'loc':['body','text']}]}", NULL },
    { "POST", V3 "/sessions/devin-" HEX_1 "/message", COG, "{'message':'one'}", 404, "{'status':404}", NULL },
    { "GET", V3 "/sessions/devin-" HEX_1 "/messages", COG, NULL, 200, "{'items':[{'source':'user','message':'p','event_id':'*'},{'message':'one'}],'has_next_page':false}", NULL },
    { "GET", V3 "/sessions/devin-" HEX_1 "/messages?first=1", COG, NULL, 200, "{'items':[{'message':'p'}],'has_next_page':true,'end_cursor':'cursor-1'}", NULL },
    { "GET", V3 "/sessions/devin-" HEX_1 "/messages?first=1&after=cursor-1", COG, NULL, 200, "{'items':[{'message':'one'}],'has_next_page':false,'end_cursor':null}", NULL },
    { "POST", "/control/session/newest", NULL, "{'status':'exit'}", 200, "{'status':'exit','status_detail':null}", NULL },
    { "POST", V3 "/sessions/devin-" HEX_1 "/messages", COG, "{'message':'two'}", 409, "{'title':'Conflict','status':409}", NULL },
    { "POST", "/control/session/newest", NULL, "{'status':null,'is_archived':true}", 200, "{'status':'running'}", NULL },
    { "POST", V3 "/sessions/devin-" HEX_1 "/messages", COG, "{'message':'two'}", 409, "{'status':409}", NULL },
    { "PUT", V3 "/sessions/devin-" HEX_1 "/tags", COG, "{'tags':['a','b']}", 200, "{'tags':['a','b']}", NULL },
    { "POST", V3 "/sessions/devin-" HEX_1 "/tags", COG, "{'tags':['b','c']}", 200, "{'tags':['a','b','c']}", NULL },
    { "PUT", V3 "/sessions/devin-" HEX_1 "/tags", COG, "{'tags':['d']}", 200, "{'tags':['d']}", NULL },
    { "GET", V3 "/sessions?tags=d", COG, NULL, 200, "{'items':[{'tags':['d']}]}", NULL },
    { "PUT", V3 "/sessions/devin-" HEX_1 "/tags", COG,
      "{'tags':['1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16','17','18','19','20','21','22','23','24','25',"
      "'26','27','28','29','30','31','32','33','34','35','36','37','38','39','40','41','42','43','44','45','46','47','48','49','50']}", 200, "{}", NULL },
    { "POST", V3 "/sessions/devin-" HEX_1 "/tags", COG, "{'tags':['50']}", 200, "{}", "'51'" },
    { "POST", V3 "/sessions/devin-" HEX_1 "/tags", COG, "{'tags':['51']}", 422, "{'errors':[{'loc':['body','tags']}]}", NULL },
    { "GET", V3 "/sessions?tags=51", COG, NULL, 200, "{'items':[]}", NULL },
    { 0 },
};

static const struct step v3_playbooks[] = {
    { "POST", "/control/options", NULL, "{'playbooks':[]}", 200, "null", NULL },
    { "GET", V3 "/playbooks", COG, NULL, 200, "{'items':[],'has_next_page':false,'end_cursor':null}", NULL },
    { "POST", V3 "/playbooks", COG, "{'title':'t','body':'b','macro':'!m'}", 200, "{'playbook_id':'*','title':'t','macro':'!m','access_type':'org','org_id':'" ORG "'}", "+00:00" },
    { "POST", V3 "/playbooks", COG, "{'name':'t','instructions':'b'}", 422,
      "{'errors':[{'loc':['body','title']},{'loc':['body','body']},{'loc':['body','name']},{'loc':['body','instructions']}]}", NULL },
    { "POST", "/control/options", NULL, "{'playbooks':[{'title':'one','playbook_id':'playbook-1'},{'title':'two','playbook_id':'playbook-2'}],'page_size':1}", 200, "null", NULL },
    { "GET", V3 "/playbooks", COG, NULL, 200, "{'items':[{'title':'one'}],'has_next_page':true,'end_cursor':'cursor-1'}", NULL },
    { "GET", V3 "/playbooks?after=cursor-1", COG, NULL, 200, "{'items':[{'title':'two'}],'has_next_page':false}", NULL },
    { "PUT", V3 "/playbooks/playbook-2", COG, "{'title':'deux','body':'b'}", 200, "{'playbook_id':'playbook-2','title':'deux','macro':null}", NULL },
    { "PUT", V3 "/playbooks/playbook-3", COG, "{'title':'deux','body':'b'}", 404, "{'status':404}", NULL },
    { "GET", V3 "/playbooks/playbook-2", COG, NULL, 200, "{'title':'deux'}", NULL },
    { "POST", V3 "/sessions", COG, "{'prompt':'p','playbook_id':'deux'}", 400, "{'status':400,'detail':'Playbook ID does not exist'}", NULL },
    { "POST", V3 "/sessions", COG, "{'prompt':'p','playbook_id':'playbook-2'}", 200, "{'playbook_id':'playbook-2'}", NULL },
    { "POST", "/control/options", NULL, "{'strict_playbooks':false}", 200, "null", NULL },
    { "POST", V3 "/sessions", COG, "{'prompt':'p','playbook_id':'deux'}", 200, "{'playbook_id':'deux'}", NULL },
    { 0 },
};

static const struct step keys[] = {
    { "GET", "/v1/sessions", NULL, NULL, 401, "{'detail':'Unauthorized'}", NULL },
    { "GET", "/v1/sessions", "ghp_x", NULL, 401, "{'detail':'Unauthorized'}", NULL },
    { "GET", "/v1/sessions", COG, NULL, 403, "{'detail':'*'}", NULL },
    { "GET", "/v3/self", NULL, NULL, 401, "{'status':401,'title':'Unauthorized'}", NULL },
    { "GET", "/v3/self", APK, NULL, 403, "{'status':403,'title':'Forbidden'}", NULL },
    { "GET", V3 "/sessions", APK, NULL, 403, "{'status':403}", NULL },
    { "GET", "/v3/organizations/my-slug/sessions", COG, NULL, 403, "{'status':403}", NULL },
    { "POST", "/control/options", NULL, "{'org_id':null}", 200, "null", NULL },
    { "GET", "/v3/self", COG, NULL, 200, "{'org_id':null}", NULL },
    { "POST", "/v3/organizations/org-2/sessions", COG, "{'prompt':'p'}", 200, "{'org_id':'org-2'}", NULL },
    { "GET", V3 "/sessions", COG, NULL, 200, "{'items':[]}", NULL },
    { "GET", V3 "/sessions/devin-" HEX_1, COG, NULL, 404, "{'status':404}", NULL },
    { "GET", "/v1/sessions", APK, NULL, 200, "{'sessions':[]}", NULL },
    { "GET", "/v1/sessions/devin-" HEX_1, APK, NULL, 403, "{'detail':'*'}", NULL },
    { "POST", "/control/options", NULL, "{'org_id':'org-1','ids':'session'}", 200, "null", NULL },
    { "GET", "/v3/self", COG, NULL, 200, "{'org_id':'org-1'}", NULL },
    { "POST", "/v3/organizations/org-1/sessions", COG, "{'prompt':'p'}", 200, "{'session_id':'session_1707228000001'}", NULL },
    { "GET", "/v3/organizations/org-1/sessions/session_1707228000001", COG, NULL, 200, "{'session_id':'session_1707228000001'}", NULL },
    { "POST", "/v1/sessions", APK, "{'prompt':'p'}", 200, "{'session_id':'session_1707228000002'}", NULL },
    { "GET", "/v1/sessions/session_1707228000002", APK, NULL, 200, "{'session_id':'session_1707228000002'}", NULL },
    { "POST", "/control/options", NULL, "{'ids':'number'}", 422, "{'detail':[{'loc':['body','ids'],'type':'enum'}]}", NULL },
    { "GET", "/control/calls", NULL, NULL, 200,
      "[{'method':'GET','path':'/v1/sessions','bearer':'none','authorized':false,'status':401},{'bearer':'other'},{'bearer':'cog','authorized':false,'status':403},"
      "{'bearer':'none'},{'bearer':'apk','authorized':false},{},{},{'path':'/v3/self','bearer':'cog','authorized':true,'status':200},"
      "{'body':'{\\'prompt\\':\\'p\\'}'},{},{},{'bearer':'apk','authorized':true},{},{},{},{},{},{}]", APK "\n" COG "\nghp_x" },
    { 0 },
};

static const struct step faults[] = {
    { "POST", "/control/options", NULL, "{'playbooks':[]}", 200, "null", NULL },
    { "POST", "/control/faults", NULL,
      "[{'on':'POST /v1/sessions$','status':503},{'on':'POST /v3/organizations/*/sessions/*/tags','status':500,'repeat':2},"
      "{'on':'GET /v1/sess','drop':true},{'on':'GET /v3','status':429,'retry_after':'7'}]", 200, "null", NULL },
    { "GET", "/v1/playbooks", APK, NULL, 200, "[]", NULL },
    { "POST", "/v1/sessions/x/message", APK, "{}", 404, "{'detail':'*'}", NULL },
    { "POST", V3 "/sessions", COG, "{'prompt':'p'}", 200, "{'session_id':'" HEX_1 "'}", NULL },
    { "POST", "/v1/sessions", APK, "{'prompt':'p'}", 503, "{'detail':'Service Unavailable'}", NULL },
    { "POST", "/v1/sessions", APK, "{'prompt':'p'}", 200, "{'session_id':'devin-" HEX_2 "'}", NULL },
    { "POST", V3 "/sessions/devin-" HEX_1 "/tags", COG, "{'tags':['a']}", 500, "{'title':'Internal Server Error','status':500}", NULL },
    { "POST", V3 "/sessions/devin-" HEX_1 "/tags", COG, "{'tags':['a']}", 500, "{'status':500}", NULL },
    { "POST", V3 "/sessions/devin-" HEX_1 "/tags", COG, "{'tags':['a']}", 200, "{'tags':['a']}", NULL },
    { "GET", "/v1/sessions", APK, NULL, 0, NULL, NULL },
    { "GET", "/v1/sessions", APK, NULL, 200, "{'sessions':[{}]}", NULL },
    { "POST", "/control/faults", NULL, "[{'status':502}]", 200, "null", NULL },
    { "GET", "/v1/playbooks", APK, NULL, 502, "{}", NULL },
    { "GET", "/v3/self", COG, NULL, 429, "{'status':429}", NULL },
    { "GET", "/v3/self", COG, NULL, 200, "{}", NULL },
    { "POST", "/control/faults", NULL, "[{'on':'POST /v1/sessions','after':true,'drop':true}]", 200, "null", NULL },
    { "POST", "/v1/sessions", APK, "{'prompt':'q','tags':['kept']}", 0, NULL, NULL },
    { "GET", "/v1/sessions?tags=kept", APK, NULL, 200, "{'sessions':[{'tags':['kept']}]}", NULL },
    { "POST", "/control/faults", NULL, "[{'no':'x'}]", 422, "{'detail':[{'loc':['body',0,'no']}]}", NULL },
    { 0 },
};
/* clang-format on */

/* --- playing a story ------------------------------------------------------------------------ */

static struct view quoted(struct e2e *e2e, const char *text)
{
    struct text out = text_in(e2e->mem, 64 * 1024);
    for (; text != NULL && *text != '\0'; text++)
        text_add_char(&out, *text == '\'' ? '"' : *text);
    return text_view(&out);
}

static bool call(struct e2e *e2e, int port, const struct step *step, struct http_answer *out)
{
    struct text extra = text_in(e2e->mem, 4096);
    if (step->key != NULL) {
        text_add_string(&extra, "Authorization: Bearer ");
        text_add_string(&extra, step->key);
        text_add_string(&extra, "\r\n");
    }
    if (step->body != NULL)
        text_add_string(&extra, "Content-Type: application/json\r\n");
    struct view body = step->body != NULL ? quoted(e2e, step->body) : (struct view){ 0 };
    struct view request =
        http_request(step->method, view_of(step->target), text_view(&extra), body, e2e->mem);
    return http_call(port, request, PATIENCE_MS, e2e->mem, out);
}

static bool is_right(struct e2e *e2e, const struct step *step, const struct http_answer *answer)
{
    struct view type = http_header(answer, "Content-Type");
    bool is_problem = view_starts(view_of(step->target), VIEW("/v3/")) && answer->status >= 400;
    if (answer->status != step->status)
        return complain(e2e->why, "another status", answer->head)
               || complain(e2e->why, "with the body", answer->body);
    if (!view_equal(type, is_problem ? VIEW("application/problem+json") : VIEW("application/json")))
        return complain(e2e->why, "another content type", type);
    bool ok =
        match_json("answer", quoted(e2e, step->wanted), answer->body, false, e2e->mem, e2e->why);
    return match_lacks("answer", quoted(e2e, step->lacks), answer->body, e2e->why) && ok;
}

static bool play_step(struct e2e *e2e, int port, const struct step *step)
{
    struct http_answer answer = { 0 };
    bool has_answer = call(e2e, port, step, &answer);
    bool ok = has_answer == (step->status != 0)
                  ? !has_answer || is_right(e2e, step, &answer)
                  : complain(e2e->why, has_answer ? "there is an answer" : "there is no answer",
                             (struct view){ 0 });
    if (!ok) {
        complain(e2e->why, step->method, view_of(step->target));
        complain(e2e->why, "  with", view_of(step->body));
    }
    return ok;
}

static enum test_result play(struct e2e *e2e, const struct step *steps)
{
    struct program devin = { 0 };
    if (!program_start_devin(e2e->site, 0, &devin, e2e->why))
        return TEST_FAILED;
    bool ok = true;
    for (const struct step *step = steps; step->method != NULL; step++)
        ok = play_step(e2e, devin.port, step) && ok;
    ok = program_end(&devin, SIGTERM, PATIENCE_MS, e2e->why) && ok;
    program_forget(&devin);
    return ok ? TEST_PASSED : TEST_FAILED;
}

/* clang-format off */
static enum test_result play_v1_sessions(struct e2e *e2e)  { return play(e2e, v1_sessions); }
static enum test_result play_v1_messages(struct e2e *e2e)  { return play(e2e, v1_messages); }
static enum test_result play_v1_playbooks(struct e2e *e2e) { return play(e2e, v1_playbooks); }
static enum test_result play_v3_sessions(struct e2e *e2e)  { return play(e2e, v3_sessions); }
static enum test_result play_v3_messages(struct e2e *e2e)  { return play(e2e, v3_messages); }
static enum test_result play_v3_playbooks(struct e2e *e2e) { return play(e2e, v3_playbooks); }
static enum test_result play_keys(struct e2e *e2e)         { return play(e2e, keys); }
static enum test_result play_faults(struct e2e *e2e)       { return play(e2e, faults); }
/* clang-format on */

/* --- what a table cannot say ------------------------------------------------------------------ */

/* The payload of a message stands beside it, not beside the prompt. */
static bool is_message_right(struct e2e *e2e, int port)
{
    static const struct step send = { .method = "POST",
                                      .target = "/v1/sessions/" HEX_1 "/message",
                                      .key = APK,
                                      .body = "{'message':'<m>'}" };
    static const struct step hand_in = { .method = "POST",
                                         .target = "/control/payloads",
                                         .body = "{'sessionId':'" HEX_1 "','payload':'<c>',"
                                                 "'action':'messaged'}" };
    static const struct step show = { .method = "GET", .target = "/sessions/" HEX_1 };
    static const char heading[] = "<h2>Message of ";
    struct http_answer answer = { 0 };
    struct http_answer page = { 0 };
    if (!call(e2e, port, &send, &answer) || !call(e2e, port, &hand_in, &answer)
        || !call(e2e, port, &show, &page))
        return complain(e2e->why, "the page with a message does not come", (struct view){ 0 });
    struct view message = page.body;
    while (message.len > 0 && !view_starts(message, view_of(heading)))
        message = view_skip(message, 1);
    struct view prompt = { page.body.at, page.body.len - message.len };
    bool ok = match_has("message's part", VIEW("&lt;m&gt;\n(action: messaged)\n&lt;c&gt;"), message,
                        e2e->why);
    ok = match_lacks("message's part", VIEW("&lt;b&gt;"), message, e2e->why) && ok;
    return match_lacks("prompt's part", VIEW("&lt;c&gt;"), prompt, e2e->why) && ok;
}

static bool is_page_right(struct e2e *e2e, int port)
{
    static const struct step create = { .method = "POST",
                                        .target = "/v1/sessions",
                                        .key = APK,
                                        .body = "{'prompt':'<p>','title':'[Sev2] <script>',"
                                                "'tags':['one','<two>']}" };
    static const struct step show = { .method = "GET", .target = "/" };
    static const struct step show_one = { .method = "GET", .target = "/sessions/" HEX_1 };
    static const struct step hand_in = { .method = "POST",
                                         .target = "/control/payloads",
                                         .body = "{'sessionId':'devin-" HEX_1 "',"
                                                 "'payload':'<b>','action':'created'}" };
    struct http_answer answer = { 0 }, page = { 0 }, one = { 0 }, bare = { 0 };
    if (!call(e2e, port, &create, &answer) || !call(e2e, port, &show_one, &bare)
        || !call(e2e, port, &hand_in, &answer)
        || !control_session(port, VIEW("newest"), VIEW("{\"status\":\"blocked\"}"))
        || !call(e2e, port, &show, &page) || !call(e2e, port, &show_one, &one))
        return complain(e2e->why, "a page does not come", (struct view){ 0 });
    bool ok = match_has("page",
                        VIEW(">Sev 2</span></td><th scope=\"row\"><a href=\"/sessions/" HEX_1
                             "\">&lt;script&gt;</a></th>"
                             "<td>blocked</td><td class=\"tags\">one, &lt;two&gt;</td><td>1</td>"),
                        page.body, e2e->why);
    ok = match_has(
             "session's page",
             VIEW("&lt;p&gt;\nblocked\none, &lt;two&gt;\nPayload (action: created)\n&lt;b&gt;"),
             one.body, e2e->why)
         && match_lacks("session's page", VIEW("Not known"), one.body, e2e->why)
         && match_has("session's page without a payload", VIEW("Not known"), bare.body, e2e->why)
         && ok;
    if (http_header(&page, "Content-Security-Policy").len == 0)
        ok = complain(e2e->why, "the page has no content security policy", page.head);
    return match_lacks("page", VIEW("<script\n<two>\nhttp-equiv"), page.body, e2e->why) && ok;
}

/* Also that a reset forgets options and sessions, and that ids start anew. */
static bool is_reset_right(struct e2e *e2e, int port)
{
    static const struct step list = { "GET", "/control/sessions", NULL, NULL,
                                      200,   "{'count':0}",       NULL };
    static const struct step self = { "GET", "/v3/self", COG, NULL, 200, "{'org_id':'" ORG "'}",
                                      NULL };
    static const struct step create = {
        "POST", "/v1/sessions", APK, "{'prompt':'p'}", 200, "{'session_id':'devin-" HEX_1 "'}", NULL
    };
    return control_options(port, VIEW("{\"org_id\":\"org-9\",\"ids\":\"session\"}"))
           && control_reset(port) && play_step(e2e, port, &list) && play_step(e2e, port, &self)
           && play_step(e2e, port, &create);
}

static enum test_result pages_and_reset(struct e2e *e2e)
{
    struct program devin = { 0 };
    if (!program_start_devin(e2e->site, 0, &devin, e2e->why))
        return TEST_FAILED;
    bool ok = is_page_right(e2e, devin.port);
    ok = is_message_right(e2e, devin.port) && ok;
    ok = is_reset_right(e2e, devin.port) && ok;
    ok = program_end(&devin, SIGTERM, PATIENCE_MS, e2e->why) && ok;
    program_forget(&devin);
    return ok ? TEST_PASSED : TEST_FAILED;
}

/* A thousand sockets are more than some machines allow at first. */
static void allow_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static bool send_create(struct e2e *e2e, int fd, int number)
{
    char body[128];
    snprintf(body, sizeof body, "{\"prompt\":\"p\",\"tags\":[\"all\",\"number-%d\"]}", number);
    struct view request =
        http_request("POST", VIEW("/v1/sessions"), VIEW("Authorization: Bearer " APK "\r\n"),
                     view_of(body), e2e->mem);
    return fd >= 0 && http_send(fd, request);
}

/* How many were answered 200 before the first that was not.  Connections stay open until the end. */
static int create_crowd(struct e2e *e2e, int port)
{
    static int fds[CROWD];
    int created = 0;
    for (int i = 0; i < CROWD; i++) {
        fds[i] = http_connect(port, PATIENCE_MS);
        if (!send_create(e2e, fds[i], i))
            complain(e2e->why, "a create cannot be sent", (struct view){ 0 });
    }
    struct http_answer answer = { 0 };
    while (created < CROWD && fds[created] >= 0
           && http_receive(fds[created], PATIENCE_MS, false, e2e->mem, &answer)
           && answer.status == 200)
        created++;
    for (int i = 0; i < CROWD; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return created;
}

static enum test_result crowd(struct e2e *e2e)
{
    static const struct step count = { "GET", "/control/sessions", NULL, NULL,
                                       200,   "{'count':1000}",    NULL };
    static const struct step last = { "GET", "/v1/sessions?tags=number-999&tags=number-0",
                                      APK,   NULL,
                                      200,   "{'sessions':[{'title':'p'},{'title':'p'}]}",
                                      NULL };
    struct program devin = { 0 };
    char seen[64];
    allow_files();
    if (!program_start_devin(e2e->site, 0, &devin, e2e->why))
        return TEST_FAILED;
    int created = create_crowd(e2e, devin.port);
    snprintf(seen, sizeof seen, "%d answered 200", created);
    bool ok = created == CROWD || complain(e2e->why, "not every create succeeded", view_of(seen));
    ok = play_step(e2e, devin.port, &count) && play_step(e2e, devin.port, &last) && ok;
    ok = program_end(&devin, SIGTERM, PATIENCE_MS, e2e->why) && ok;
    program_forget(&devin);
    return ok ? TEST_PASSED : TEST_FAILED;
}

const struct e2e_test e2e_standin[] = {
    { "standin: v1 creates, reads, lists and labels sessions", play_v1_sessions },
    { "standin: v1 takes messages, or says why not", play_v1_messages },
    { "standin: v1 keeps playbooks", play_v1_playbooks },
    { "standin: v3 creates, reads and pages through sessions", play_v3_sessions },
    { "standin: v3 takes messages and tags", play_v3_messages },
    { "standin: v3 keeps playbooks", play_v3_playbooks },
    { "standin: each key works on its own version and organization", play_keys },
    { "standin: a fault waits for the call it is for", play_faults },
    { "standin: pages are escaped, a reset forgets all", pages_and_reset },
    { "standin: a thousand creates at once", crowd },
    { NULL, NULL },
};
