/** One unary call of gRPC: as its own client and server make it, and as bytes for those who only send them. */
import { Client, credentials, Metadata } from '@grpc/grpc-js';

export const GRPC_METHOD = '/bench.Echo/say';

const MESSAGE = Buffer.alloc(100, 'x');
/** How long a server may take to be there, ms. */
const PATIENCE_MS = 15_000;

/** What gRPC passes on as it is: messages of bytes. */
export const same = (bytes: Buffer): Buffer => bytes;

/** The body of a call: not compressed, the length, the message. */
export function grpcFrame(): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(MESSAGE.length, 1);
  return Buffer.concat([head, MESSAGE]);
}

/** Calls once. @throws when what comes back is not what was sent, or nothing does in time */
export async function callOnce(port: number, host: string): Promise<void> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.default_authority': host });
  try {
    const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
      const metadata = new Metadata({ waitForReady: true });
      const options = { deadline: Date.now() + PATIENCE_MS };
      client.makeUnaryRequest(GRPC_METHOD, same, same, MESSAGE, metadata, options, (error, value) => {
        if (error === null) resolve(value);
        else reject(error);
      });
    });
    if (answer?.equals(MESSAGE) !== true) throw new Error('another message came back');
  } finally {
    client.close();
  }
}
