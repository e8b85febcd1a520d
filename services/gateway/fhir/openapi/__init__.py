"""The OpenAPI document of the door: what `routes` answer, in the words that HTTP tools read."""

from services.gateway.fhir.openapi.document import openapi_route as openapi_route
