/** A gRPC server that sends the message of every call back: `grpc.js PORT`. */
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import { GRPC_METHOD, same } from '../grpc.ts';

const say: handleUnaryCall<Buffer, Buffer> = ({ request }, callback) => callback(null, request);
const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };

const server = new Server();
server.addService({ say: { path: GRPC_METHOD, requestStream: false, responseStream: false, ...codec } }, { say });
server.bindAsync(`127.0.0.1:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
