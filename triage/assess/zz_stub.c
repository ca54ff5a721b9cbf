#include "assess/assess.h"
#include <string.h>
struct _ProfileSet{int x;};
const char *verdict_name(VerdictKind v){static const char*const n[]={"known-benign","likely-benign","unexplained","suspicious"};return n[v];}
ProfileSet *profile_set_load(const char *dir, const char *const *f, GError **e){(void)dir;(void)f;(void)e;return g_new0(ProfileSet,1);}
ProfileSet *profile_set_parse(const char *dir, const char *f, GError **e){(void)dir;(void)f;(void)e;return g_new0(ProfileSet,1);}
void profile_set_free(ProfileSet *s){g_free(s);}
guint profile_set_n_files(const ProfileSet *s){(void)s;return 0;}
void profile_set_file(const ProfileSet *s, guint i, const char **n, const char **h){(void)s;(void)i;*n=*h="";}
void verdict_clear(Verdict *v){g_free(v->scenario);g_free(v->profile);g_free(v->reason);}
void assess_hit(const ProfileSet *s, const HitView *h, Verdict *o){(void)s;(void)h;memset(o,0,sizeof *o);o->verdict=VERDICT_UNEXPLAINED;o->scenario=g_strdup("");o->profile=g_strdup("");o->reason=g_strdup("stub");}
