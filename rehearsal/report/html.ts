const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text for HTML and SVG, in an element or in a quoted attribute. Whatever a run has produced goes through here. */
export const escaped = (text: string | number): string => String(text).replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
