/** Classifies error replies by their text: servers, user permissions and proxies refuse commands in many ways. Pure. */

/** The server cannot serve, or the key is another server's: any command would have failed. */
const OF_THE_STATE =
  /^(?:LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|READONLY|OOM|MISCONF|NOREPLICAS|NOAUTH|WRONGPASS|MOVED|ASK|TRYAGAIN|EXECABORT)\b|^ERR (?:operation not permitted$|invalid password|max number of clients)/i;

/** Texts for a command that is not available. */
const OF_THE_COMMAND =
  /^NOPERM\b|\b(?:unknown|unsupported|disabled|denied|forbidden|invalid) (?:redis )?(?:commands?|request)|\bcommands?\b.*\b(?:not (?:supported|allowed|permitted|available|implemented|enabled)|disabled|unsupported|unknown|forbidden|denied)\b|\b(?:not (?:supported|allowed|permitted|implemented)|disabled|unsupported)\b.*\bcommands?\b|\bno permissions?\b|^(?:ERR )?(?:not supported|not implemented|unsupported|disabled)\b/i;

/** Whether only this command is refused, for lack of permission or support; others may work. */
export function isCommandRefused({ message }: Error): boolean {
  return !OF_THE_STATE.test(message) && OF_THE_COMMAND.test(message);
}

/**
 * Whether plain commands may work where a script did not: after everything that would not have failed any command. If
 * that is wrong, the plain commands fail with their own reason.
 */
export function isScriptRefused({ message }: Error): boolean {
  return !OF_THE_STATE.test(message) && !message.startsWith('WRONGTYPE');
}
