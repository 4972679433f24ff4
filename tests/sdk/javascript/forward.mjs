// Requests signed by the AWS SDK for JavaScript, to a service behind a proxy that asks the broker.
//
// PROXY is where the proxy listens, SERVICE_HOST the host that the service answers to, MODULES the
// folder of node_modules.
import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { strict as assert } from 'node:assert';

const require = createRequire(path.join(process.env.MODULES, 'node_modules', 'x.js'));
const { SignatureV4 } = require('@smithy/signature-v4');

class Sha256 {
  constructor(secret) {
    this.hash = secret ? createHmac('sha256', secret) : createHash('sha256');
  }
  update(data) {
    this.hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.hash.digest());
  }
}

const signer = new SignatureV4({
  service: 'orders',
  region: 'eu-west-1',
  sha256: Sha256,
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
    sessionToken: process.env.AWS_SESSION_TOKEN,
  },
});
const [hostname, port] = process.env.PROXY.split(':');

async function send(method, target, body = '', spoil = (signed) => signed) {
  const headers = { host: process.env.SERVICE_HOST };
  if (body) headers['content-length'] = String(Buffer.byteLength(body));
  const request = { method, protocol: 'http:', hostname: headers.host, path: target, query: {}, headers, body };
  const signed = spoil(await signer.sign(request));
  return new Promise((resolve, reject) => {
    const options = { hostname, port, method, path: signed.path, headers: signed.headers };
    const sent = http.request(options, (answer) => {
      let text = '';
      answer.on('data', (data) => (text += data));
      answer.on('end', () => resolve([answer.statusCode, JSON.parse(text)]));
    });
    sent.on('error', reject);
    sent.end(body || undefined);
  });
}

let [status, told] = await send('GET', '/orders/42');
assert.equal(status, 200, JSON.stringify(told));
assert.ok(told.headers['x-countersign-principal'].includes('assumed-role/clients'));
// It signs the body's hash and length.
[status, told] = await send('PUT', '/orders/42', 'data');
assert.equal(status, 200, JSON.stringify(told));
assert.ok(told.headers.authorization.includes('content-length'), told.headers.authorization);
[status, told] = await send('GET', '/orders/52');
assert.deepEqual([status, told.reason], [403, 'ImplicitDeny']);
[status, told] = await send('GET', '/orders/42', '', (signed) => ({ ...signed, path: '/orders/43' }));
assert.deepEqual([status, told.reason], [401, 'SignatureDoesNotMatch']);
console.log('javascript ok');
