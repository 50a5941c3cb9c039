import { DOMParser, type Element } from '@xmldom/xmldom';

/** An XML element, without its namespaces: `OME:Pixels` is `Pixels`. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** All text inside, without the white space around it. */
  readonly text: string;
}

/** Deeper than any microscope's metadata; a document made to exhaust the stack is refused. */
const MAX_DEPTH = 64;

/** Whether a text means to be XML. */
export function looksLikeXml(text: string): boolean {
  return /^\uFEFF?\s*<[?!A-Za-z_]/.test(text);
}

/**
 * The root of an XML document. Comments, entities, prefixes and quotes are what the standard says; entities that a
 * document defines itself are not expanded, and nothing outside it is fetched.
 * @throws Error with the parser's reason
 */
export function parseXml(text: string): XmlElement {
  let fault: string | undefined;
  const parser = new DOMParser({
    locator: false,
    onError: (level, message) => {
      // What the parser throws in the end wraps its own words twice.
      if (level === 'warning') return;
      fault ??= message;
      throw new Error(message);
    },
  });
  let document;
  try {
    document = parser.parseFromString(text.replace(/^\uFEFF/, '').trim(), 'text/xml');
  } catch (error) {
    throw new Error(fault ?? 'it is not well formed', { cause: error });
  }
  const root = document.documentElement;
  if (root === null) throw new Error('it holds no element');
  return toElement(root, 0);
}

/** All elements of a name below `parent`, in document order. */
export function descendants(parent: XmlElement, name: string): XmlElement[] {
  return parent.children.flatMap((child) => [
    ...(child.name === name ? [child] : []),
    ...descendants(child, name),
  ]);
}

function toElement(element: Element, depth: number): XmlElement {
  if (depth > MAX_DEPTH) throw new Error(`its elements lie more than ${MAX_DEPTH} deep`);
  const attributes: Record<string, string> = {};
  for (const attribute of element.attributes)
    attributes[attribute.localName ?? attribute.name] = attribute.value;
  const children: XmlElement[] = [];
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === node.ELEMENT_NODE) children.push(toElement(node as Element, depth + 1));
  }
  return {
    name: element.localName ?? element.tagName,
    attributes,
    children,
    text: (element.textContent ?? '').trim(),
  };
}
