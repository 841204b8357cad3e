import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The stores need one; nobody else sees them. */
const PASSWORD = 'millrace-tests';

/** An authority, and a server's certificate that it has signed. */
export interface Certificates {
  /** The authority's certificate, PEM. */
  readonly ca: string;
  /** For a server of Node's. */
  readonly server: { readonly pfx: Buffer; readonly passphrase: string };
  /** Broker settings of the listener EXTERNAL. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Made anew in a folder of the caller's, with the JDK's own tool. The server is 127.0.0.1. */
export function certificatesIn(folder: string): Certificates {
  const [authority, server] = [join(folder, 'ca.p12'), join(folder, 'server.p12')];
  const keytool = (store: string, args: readonly string[]): void => {
    const all = ['-keystore', store, '-storetype', 'PKCS12', '-storepass', PASSWORD, '-noprompt', ...args];
    execFileSync('keytool', all, { cwd: folder, stdio: 'pipe' });
  };
  const pair = ['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '2'];
  keytool(authority, [...pair, '-alias', 'ca', '-dname', 'CN=tests', '-ext', 'bc:c']);
  keytool(authority, ['-exportcert', '-rfc', '-alias', 'ca', '-file', 'ca.pem']);
  keytool(server, [...pair, '-alias', 'server', '-dname', 'CN=127.0.0.1']);
  keytool(server, ['-certreq', '-alias', 'server', '-file', 'server.csr']);
  const signing = ['-gencert', '-rfc', '-alias', 'ca', '-infile', 'server.csr', '-outfile', 'server.pem'];
  keytool(authority, [...signing, '-validity', '2', '-ext', 'san=ip:127.0.0.1']);
  keytool(server, ['-importcert', '-alias', 'ca', '-file', 'ca.pem']);
  keytool(server, ['-importcert', '-alias', 'server', '-file', 'server.pem']);
  return {
    ca: readFileSync(join(folder, 'ca.pem'), 'utf8'),
    server: { pfx: readFileSync(server), passphrase: PASSWORD },
    settings: {
      'listener.name.external.ssl.keystore.type': 'PKCS12',
      'listener.name.external.ssl.keystore.location': server,
      'listener.name.external.ssl.keystore.password': PASSWORD,
      'listener.name.external.ssl.key.password': PASSWORD,
    },
  };
}
