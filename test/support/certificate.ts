import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { tempDir } from './temp.js';

/**
 * Makes a certificate that is its own authority, with openssl; the files are gone after the suites of the file.
 *
 * @param name whom it is for: `DNS:localhost`, `IP:127.0.0.1`
 * @returns paths of the two files, PEM
 */
export function selfSigned(name: string): { certificate: string; key: string } {
  const dir = tempDir('callsheet-tls-');
  const [certificate, key] = [join(dir, 'certificate.pem'), join(dir, 'key.pem')];
  const kind = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1'];
  const subject = ['-subj', '/CN=localhost', '-addext', `subjectAltName=${name}`];
  const output = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', ...kind, ...subject, ...output], { stdio: 'ignore' });
  return { certificate, key };
}
