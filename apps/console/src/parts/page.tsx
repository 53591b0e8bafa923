import { useEffect, useRef, type ReactElement, type ReactNode } from 'react';

/** A page: its heading gets the focus when somebody comes to it, so that readers of screens begin there. */
export function Page({
  title,
  actions,
  children,
}: {
  title: string;
  /** Buttons beside the heading. */
  actions?: ReactNode;
  children: ReactNode;
}): ReactElement {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} - Callsheet`;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <>
      <div className="head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions && <div className="actions">{actions}</div>}
      </div>
      {children}
    </>
  );
}
