// Lines out of a stream of text that somebody else writes.

/** Splits a stream of text into lines without their ends. One of more than `longest` characters comes as undefined. */
export async function* linesOf(
  stream: AsyncIterable<Buffer | string>,
  longest = 64 * 1024,
): AsyncGenerator<string | undefined> {
  const decoder = new TextDecoder();
  let pending = '';
  let tooLong = false;
  for await (const chunk of stream) {
    pending += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
      yield tooLong || end > longest ? undefined : pending.slice(0, end).replace(/\r$/, '');
      pending = pending.slice(end + 1);
      tooLong = false;
    }
    if (pending.length > longest) {
      pending = '';
      tooLong = true;
    }
  }
  if (tooLong) yield undefined;
  else if (pending !== '') yield pending;
}
