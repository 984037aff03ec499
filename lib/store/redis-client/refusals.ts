/** What an error reply says, by its words: servers, users' rights and proxies in between refuse commands in many. Pure. */

/** The server is not in a state to serve, or the key is another's: any command would have failed. */
const OF_THE_STATE =
  /^(?:LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|READONLY|OOM|MISCONF|NOREPLICAS|NOAUTH|WRONGPASS|MOVED|ASK|TRYAGAIN|EXECABORT)\b|^ERR (?:operation not permitted$|invalid password|max number of clients)/i;

/** Words for a command that is not to be had here. */
const OF_THE_COMMAND =
  /^NOPERM\b|\b(?:unknown|unsupported|disabled|denied|forbidden|invalid) (?:redis )?(?:commands?|request)|\bcommands?\b.*\b(?:not (?:supported|allowed|permitted|available|implemented|enabled)|disabled|unsupported|unknown|forbidden|denied)\b|\b(?:not (?:supported|allowed|permitted|implemented)|disabled|unsupported)\b.*\bcommands?\b|\bno permissions?\b|^(?:ERR )?(?:not supported|not implemented|unsupported|disabled)\b/i;

/** Whether this command is refused, by a user's rights or because it is not to be had: others may be served. */
export function isCommandRefused({ message }: Error): boolean {
  return !OF_THE_STATE.test(message) && OF_THE_COMMAND.test(message);
}

/**
 * Whether plain commands may do what a script could not: everything but what any command would have failed with. Where that
 * is wrong, they fail, and say why.
 */
export function isScriptRefused({ message }: Error): boolean {
  return !OF_THE_STATE.test(message) && !message.startsWith('WRONGTYPE');
}
