/*
 * pages_text.c - what the built-in pages say and how they look: one narrow
 * column, the system's fonts, light or dark as the reader has it.
 */
#include "trackd/pages_text.h"

static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"{{lang}}\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n";

static const char style[] =
    "<style>\n"
    "html{color-scheme:light dark;--ink:#1d2026;--page:#f4f5f7;--card:#fff;"
    "--line:#767c88;--act:#0b57d0;--on-act:#fff}\n"
    "@media (prefers-color-scheme:dark){html{--ink:#e8eaee;--page:#14161a;"
    "--card:#1f2228;--line:#8b919d;--act:#a8c7fa;--on-act:#0a1a33}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;padding:1rem;background:var(--page);color:var(--ink);"
    "font:1.0625rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\n"
    "main{max-width:34rem;margin:6vh auto;padding:1.5rem;"
    "background:var(--card);border-radius:.75rem}\n"
    "h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25}\n"
    "fieldset{margin:0 0 1.25rem;padding:0;border:0}\n"
    "legend{padding:0;margin-bottom:.5rem}\n"
    "label{display:flex;gap:.75rem;align-items:baseline;margin:.5rem 0;"
    "padding:.75rem;border:1px solid var(--line);border-radius:.5rem}\n"
    "input{accent-color:var(--act);flex:none}\n"
    "button{font:inherit;font-weight:600;padding:.75rem 1.25rem;"
    "min-height:2.75rem;border:0;border-radius:.5rem;"
    "background:var(--act);color:var(--on-act);cursor:pointer}\n"
    "a{color:var(--act)}\n"
    ":focus-visible{outline:3px solid var(--act);outline-offset:3px}\n"
    "</style>\n";

static const char foot[] = "</main>\n</body>\n</html>\n";

struct words {
	const char *language;
	const char *ask_title, *ask, *this_list, *all, *ask_button;
	const char *done_title, *undo_ask, *undo_button;
	const char *undone_title, *undone;
	const char *shared_title, *shared;
	const char *error_title, *back;
	const char *message[MESSAGE_COUNT];
};

static const struct words words[PAGES_LANGUAGES] = {
	{
	    .language = "en",
	    .ask_title = "Unsubscribe",
	    .ask = "Which mail should {{recipient}} no longer get?",
	    .this_list = "Mail of “{{stream}}”",
	    .all = "All mail from {{sender}}",
	    .ask_button = "Unsubscribe",
	    .done_title = "You are unsubscribed",
	    .undo_ask = "Was that a mistake?",
	    .undo_button = "Undo",
	    .undone_title = "Undone",
	    .undone = "{{recipient}} stays subscribed.",
	    .shared_title = "This link does not know you",
	    .shared = "The message went to several people at once, so its "
		"link cannot tell whom to unsubscribe. Please reply to the "
		"message and ask the sender ({{sender}}), or use the link in "
		"a message that was sent to you alone. Nothing was changed.",
	    .error_title = "That did not work",
	    .back = "Back to the choice",
	    .message = {
		[MESSAGE_LIST] =
		    "{{recipient}} gets no more mail of “{{stream}}”.",
		[MESSAGE_DOMAIN] =
		    "{{recipient}} gets no more mail from {{sender}}.",
		[MESSAGE_EMPTY] = "The request was empty. "
		    "Nothing was changed.",
		[MESSAGE_FORM] = "The request did not say what to do. "
		    "Nothing was changed.",
		[MESSAGE_STAMP] = "It is too late to undo this here: that is "
		    "possible for one hour. Nothing was changed.",
		[MESSAGE_GONE] = "There is nothing left to undo. "
		    "Nothing was changed.",
		[MESSAGE_LATER] = "This cannot be saved at the moment. "
		    "Please try again in a few minutes.",
	    },
	},
	{
	    .language = "de",
	    .ask_title = "Abmelden",
	    .ask = "Welche E-Mails soll {{recipient}} nicht mehr bekommen?",
	    .this_list = "E-Mails von „{{stream}}“",
	    .all = "Alle E-Mails von {{sender}}",
	    .ask_button = "Abmelden",
	    .done_title = "Sie sind abgemeldet",
	    .undo_ask = "War das ein Versehen?",
	    .undo_button = "Rückgängig machen",
	    .undone_title = "Rückgängig gemacht",
	    .undone = "{{recipient}} bleibt angemeldet.",
	    .shared_title = "Dieser Link kennt Sie nicht",
	    .shared = "Die Nachricht ging an mehrere Personen zugleich, darum "
		"sagt ihr Link nicht, wer abgemeldet werden soll. Bitte "
		"antworten Sie auf die Nachricht und bitten Sie den Absender "
		"({{sender}}) darum, oder nehmen Sie den Link in einer "
		"Nachricht, die nur an Sie ging. Es wurde nichts geändert.",
	    .error_title = "Das hat nicht geklappt",
	    .back = "Zurück zur Auswahl",
	    .message = {
		[MESSAGE_LIST] = "{{recipient}} bekommt keine E-Mails von "
		    "„{{stream}}“ mehr.",
		[MESSAGE_DOMAIN] = "{{recipient}} bekommt keine E-Mails von "
		    "{{sender}} mehr.",
		[MESSAGE_EMPTY] = "Die Anfrage war leer. "
		    "Es wurde nichts geändert.",
		[MESSAGE_FORM] = "Die Anfrage sagt nicht, was zu tun ist. "
		    "Es wurde nichts geändert.",
		[MESSAGE_STAMP] = "Es ist zu spät, das hier rückgängig zu "
		    "machen: Das geht eine Stunde lang. Es wurde nichts "
		    "geändert.",
		[MESSAGE_GONE] = "Es gibt nichts mehr rückgängig zu machen. "
		    "Es wurde nichts geändert.",
		[MESSAGE_LATER] = "Das kann gerade nicht gespeichert werden. "
		    "Bitte versuchen Sie es in einigen Minuten noch einmal.",
	    },
	},
	{
	    .language = "fr",
	    .ask_title = "Se désabonner",
	    .ask = "Quels messages ne plus envoyer à {{recipient}} ?",
	    .this_list = "Les messages de « {{stream}} »",
	    .all = "Tous les messages de {{sender}}",
	    .ask_button = "Se désabonner",
	    .done_title = "Désabonnement effectué",
	    .undo_ask = "Était-ce une erreur ?",
	    .undo_button = "Annuler le désabonnement",
	    .undone_title = "Désabonnement annulé",
	    .undone = "L’adresse {{recipient}} reste abonnée.",
	    .shared_title = "Ce lien ne vous connaît pas",
	    .shared = "Le message a été envoyé à plusieurs personnes à la "
		"fois ; son lien ne dit donc pas qui désabonner. Répondez au "
		"message pour le demander à l’expéditeur ({{sender}}), ou "
		"utilisez le lien d’un message envoyé à vous seul. Rien n’a "
		"été modifié.",
	    .error_title = "Cela n’a pas fonctionné",
	    .back = "Revenir au choix",
	    .message = {
		[MESSAGE_LIST] = "L’adresse {{recipient}} ne recevra plus les "
		    "messages de « {{stream}} ».",
		[MESSAGE_DOMAIN] = "L’adresse {{recipient}} ne recevra plus "
		    "de messages de {{sender}}.",
		[MESSAGE_EMPTY] = "La requête était vide. "
		    "Rien n’a été modifié.",
		[MESSAGE_FORM] = "La requête ne dit pas ce qu’il faut faire. "
		    "Rien n’a été modifié.",
		[MESSAGE_STAMP] = "Il est trop tard pour annuler ici : c’est "
		    "possible pendant une heure. Rien n’a été modifié.",
		[MESSAGE_GONE] = "Il n’y a plus rien à annuler. "
		    "Rien n’a été modifié.",
		[MESSAGE_LATER] = "L’enregistrement est impossible pour le "
		    "moment. Veuillez réessayer dans quelques minutes.",
	    },
	},
	{
	    .language = "es",
	    .ask_title = "Darse de baja",
	    .ask = "¿Qué correos no debe recibir más {{recipient}}?",
	    .this_list = "Los correos de «{{stream}}»",
	    .all = "Todos los correos de {{sender}}",
	    .ask_button = "Darse de baja",
	    .done_title = "Se ha dado de baja",
	    .undo_ask = "¿Ha sido un error?",
	    .undo_button = "Deshacer",
	    .undone_title = "Baja deshecha",
	    .undone = "La dirección {{recipient}} sigue suscrita.",
	    .shared_title = "Este enlace no le conoce",
	    .shared = "El mensaje se envió a varias personas a la vez, por "
		"eso su enlace no dice a quién dar de baja. Responda al "
		"mensaje y pídaselo al remitente ({{sender}}), o use el "
		"enlace de un mensaje enviado solo a usted. No se ha "
		"cambiado nada.",
	    .error_title = "No ha funcionado",
	    .back = "Volver a la elección",
	    .message = {
		[MESSAGE_LIST] = "La dirección {{recipient}} ya no recibirá "
		    "los correos de «{{stream}}».",
		[MESSAGE_DOMAIN] = "La dirección {{recipient}} ya no recibirá "
		    "correos de {{sender}}.",
		[MESSAGE_EMPTY] = "La petición estaba vacía. "
		    "No se ha cambiado nada.",
		[MESSAGE_FORM] = "La petición no dice qué hacer. "
		    "No se ha cambiado nada.",
		[MESSAGE_STAMP] = "Es demasiado tarde para deshacerlo aquí: "
		    "es posible durante una hora. No se ha cambiado nada.",
		[MESSAGE_GONE] = "Ya no queda nada que deshacer. "
		    "No se ha cambiado nada.",
		[MESSAGE_LATER] = "Ahora mismo no se puede guardar. "
		    "Inténtelo de nuevo dentro de unos minutos.",
	    },
	},
	{
	    .language = "ja",
	    .ask_title = "配信停止",
	    .ask = "{{recipient}} への配信を停止するメールを選んでください。",
	    .this_list = "「{{stream}}」のメール",
	    .all = "{{sender}} からのすべてのメール",
	    .ask_button = "配信を停止する",
	    .done_title = "配信を停止しました",
	    .undo_ask = "間違えましたか？",
	    .undo_button = "元に戻す",
	    .undone_title = "元に戻しました",
	    .undone = "{{recipient}} への配信は続きます。",
	    .shared_title = "このリンクでは宛先を特定できません",
	    .shared = "このメールは複数の方に同時に送られたため、リンクからは"
		"どなたの配信を停止するのかわかりません。メールに返信して"
		"送信者（{{sender}}）に停止を依頼するか、あなただけに送られた"
		"メールのリンクをお使いください。何も変更されていません。",
	    .error_title = "処理できませんでした",
	    .back = "選択に戻る",
	    .message = {
		[MESSAGE_LIST] = "今後、{{recipient}} に「{{stream}}」の"
		    "メールは届きません。",
		[MESSAGE_DOMAIN] = "今後、{{recipient}} に {{sender}} からの"
		    "メールは届きません。",
		[MESSAGE_EMPTY] = "リクエストが空でした。"
		    "何も変更されていません。",
		[MESSAGE_FORM] = "リクエストの内容がわかりませんでした。"
		    "何も変更されていません。",
		[MESSAGE_STAMP] = "元に戻せる期間（１時間）を過ぎました。"
		    "何も変更されていません。",
		[MESSAGE_GONE] = "元に戻すものはありません。"
		    "何も変更されていません。",
		[MESSAGE_LATER] = "現在、保存できません。"
		    "数分後にもう一度お試しください。",
	    },
	},
};

struct str
pages_text_language(size_t language)
{
	return str_from(words[language].language);
}

struct str
pages_text_message(size_t language, enum page_message message)
{
	return str_from(words[language].message[message]);
}

static void
write_head(struct buf *b, const char *title)
{
	buf_puts(b, head);
	buf_printf(b, "<title>%s</title>\n", title);
	buf_puts(b, style);
	buf_printf(b, "</head>\n<body>\n<main>\n<h1>%s</h1>\n", title);
}

static void
write_choice(struct buf *b, const char *value, const char *more,
    const char *text)
{
	buf_printf(b, "<label><input type=\"radio\" name=\"scope\" "
	    "value=\"%s\"%s> <span>%s</span></label>\n", value, more, text);
}

static void
write_ask(struct buf *b, const struct words *w)
{
	write_head(b, w->ask_title);
	buf_printf(b, "<form method=\"post\" action=\"{{action}}\">\n"
	    "{{fields}}\n<fieldset>\n<legend>%s</legend>\n", w->ask);
	write_choice(b, "list", " checked", w->this_list);
	write_choice(b, "domain", "", w->all);
	buf_printf(b, "</fieldset>\n<button type=\"submit\">%s</button>\n"
	    "</form>\n", w->ask_button);
}

static void
write_done(struct buf *b, const struct words *w)
{
	write_head(b, w->done_title);
	buf_printf(b, "<p role=\"status\">{{message}}</p>\n{{#undo}}"
	    "<form method=\"post\" action=\"{{action}}\">\n{{fields}}\n"
	    "<p>%s</p>\n<button type=\"submit\">%s</button>\n</form>\n"
	    "{{/undo}}", w->undo_ask, w->undo_button);
}

static void
write_error(struct buf *b, const struct words *w)
{
	write_head(b, w->error_title);
	buf_printf(b, "<p role=\"alert\">{{message}}</p>\n"
	    "<p><a href=\"{{action}}\">%s</a></p>\n", w->back);
}

static void
write_plain(struct buf *b, const char *title, const char *text)
{
	write_head(b, title);
	buf_printf(b, "<p role=\"status\">%s</p>\n", text);
}

struct str
pages_text_page(struct arena *a, enum page page, size_t language)
{
	const struct words *w = &words[language];
	struct buf b;
	struct str text;

	buf_init(&b, 65536);
	if (page == PAGE_UNSUBSCRIBE)
		write_ask(&b, w);
	else if (page == PAGE_DONE)
		write_done(&b, w);
	else if (page == PAGE_UNDONE)
		write_plain(&b, w->undone_title, w->undone);
	else if (page == PAGE_SHARED)
		write_plain(&b, w->shared_title, w->shared);
	else
		write_error(&b, w);
	buf_puts(&b, foot);
	text = arena_copy(a, buf_view(&b));
	buf_free(&b);
	return text;
}
