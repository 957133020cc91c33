// Shows the server's own OpenAPI document; deep links open one operation.
const place = document.getElementById("swagger");
window.SwaggerUIBundle({ url: place.dataset.document, domNode: place, deepLinking: true, validatorUrl: null });
