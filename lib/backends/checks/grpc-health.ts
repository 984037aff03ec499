/** The messages of gRPC's health service (https://github.com/grpc/grpc/blob/master/doc/health-checking.md) as bytes. */

export const HEALTH_PATH = '/grpc.health.v1.Health/Check';

/** Before each message: whether it is compressed, and its length in four bytes. */
const FRAME_BYTES = 5;
const STRING_1 = 0x0a;
const VARINT_1 = 0x08;
const SERVING = 1;
const NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** A framed HealthCheckRequest. @param service 200 bytes at most: the length fits into two bytes */
export function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const length = name.length < 0x80 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7];
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([STRING_1, ...length]), name]);
  const frame = Buffer.alloc(FRAME_BYTES);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

/** Whether a framed HealthCheckResponse says SERVING, and the name of what it says. */
export function readHealth(bytes: Buffer): { readonly isServing: boolean; readonly name: string } {
  const broken = { isServing: false, name: 'a message that cannot be read' };
  if (bytes.length < FRAME_BYTES || bytes[0] !== 0) return broken;
  const message = bytes.subarray(FRAME_BYTES, FRAME_BYTES + bytes.readUInt32BE(1));
  // The default of a field is not sent.
  const status = message.length === 0 ? 0 : message[0] === VARINT_1 ? message[1] : undefined;
  return status === undefined ? broken : { isServing: status === SERVING, name: NAMES[status] ?? `status ${status}` };
}
