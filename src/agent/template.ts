// Pure: fills in templates of names and addresses, such as http://{host}:8080/{app}/{stream}.

import type { Stream } from './stream.js';

const placeholder = /\{(host|vhost|app|stream|path)\}/g;

/** `path` is the app and the stream, with a slash between them where there is an app. */
function valuesOf({ vhost, app, name }: Stream): Readonly<Record<string, string>> {
  return { vhost, app, stream: name, path: app === '' ? name : `${app}/${name}` };
}

/** The name of a stream's channel. */
export function channelOf(template: string, stream: Stream): string {
  const values = valuesOf(stream);
  return template.replace(placeholder, (whole, name: string) => values[name] ?? whole);
}

/** A stream's address; `{channel}` and `{rest}` stay for the edge. The names are percent-encoded, an app's slashes kept. */
export function addressOf(template: string, stream: Stream, host: string): string {
  const values = valuesOf(stream);
  return template.replace(placeholder, (whole, name: string) => {
    if (name === 'host') return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
    return values[name]?.split('/').map(encoded).join('/') ?? whole;
  });
}

/** A name may hold half of a surrogate pair, which has no percent-encoded form. */
function encoded(text: string): string {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd'));
}
