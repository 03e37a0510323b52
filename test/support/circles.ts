// Finds circles in who imports whom (Tarjan's strongly connected components).

/** The members of each circle, sorted; who is in none is left out. A target that is no key knows nobody. */
export function circlesIn(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const open = new Set<string>();
  const circles: string[][] = [];
  const visit = (file: string): number => {
    const index = order.size;
    order.set(file, index);
    lowest.set(file, index);
    path.push(file);
    open.add(file);
    const targets = imports.get(file) ?? [];
    for (const target of targets) {
      const reached = order.has(target) ? (open.has(target) ? order.get(target) : undefined) : visit(target);
      if (reached !== undefined) lowest.set(file, Math.min(lowest.get(file) ?? index, reached));
    }
    const low = lowest.get(file) ?? index;
    if (low === index) {
      const circle = path.splice(path.indexOf(file));
      for (const member of circle) open.delete(member);
      if (circle.length > 1 || targets.includes(file)) circles.push(circle.sort());
    }
    return low;
  };
  for (const file of imports.keys()) if (!order.has(file)) visit(file);
  return circles.sort((a, b) => (a[0] ?? '').localeCompare(b[0] ?? ''));
}
