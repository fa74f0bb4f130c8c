/** Marks the dot of the slide that is in view. Scrolling itself is the browser's own. */

const slides = document.querySelector("[data-slides]");

if (slides) {
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const dot = document.querySelector(`.wl-dots [href="#${target.id}"]`);
      if (isIntersecting) dot.setAttribute("aria-current", "true");
      else dot.removeAttribute("aria-current");
    }
  }, { root: slides, threshold: 0.6 });
  for (const slide of slides.children) seen.observe(slide);
}
