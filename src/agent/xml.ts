// Pure: reads the XML of a server's statistics, which may hold anything. No entity is expanded.

import { XMLParser } from 'fast-xml-parser';
import { type Fields, fieldsOf } from './shape.js';
import { BadAnswer } from './stream.js';

/** Of elements within elements; statistics have eight levels. */
const maxDepth = 32;

/** A million elements take some seconds to read. */
const maxChars = 4 * 1024 * 1024;

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  processEntities: false,
  trimValues: true,
  maxNestedTags: maxDepth,
});

/**
 * Elements by name: text, an object, or a list of them; an empty element is an empty text.
 *
 * @throws BadAnswer for a text that is not XML, or has a document type, which may define entities
 */
export function parseXml(text: string): Fields {
  if (text.length > maxChars) throw new BadAnswer(`the answer is longer than ${maxChars} characters`);
  if (!text.trimStart().startsWith('<')) throw new BadAnswer('the answer is not XML');
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw new BadAnswer('the answer has a document type');
  let parsed: unknown;
  try {
    parsed = parser.parse(text);
  } catch (error) {
    throw new BadAnswer('the answer is not XML', { cause: error });
  }
  const fields = fieldsOf(parsed);
  if (fields === undefined) throw new BadAnswer('the answer is not XML');
  return fields;
}

const predefined: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** The text of an element. Only the five entities that XML itself defines are replaced (XML 1.0, 4.6). */
export function plainText(text: string): string {
  return text.replace(/&(lt|gt|amp|quot|apos);/g, (whole, name: string) => predefined[name] ?? whole);
}
