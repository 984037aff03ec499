/** Media types whose messages are read while they are written: holding them back would hold the application up. */
const STREAMING = /^(?:text\/event-stream|application\/grpc(?:[+-][^;\s]*)?)\s*(?:;|$)/i;

/** Whether a Content-Type says that. */
export function isStreamingType(contentType: string | undefined): boolean {
  return contentType !== undefined && STREAMING.test(contentType);
}
