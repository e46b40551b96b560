"""Business Central API v2.0 over HTTP: companies, customers, items, sales orders, posted documents.

Follows the documented API: Bearer authentication, OData queries, server-driven paging, an etag on
each row and `If-Match` on every change (missing: 400 ``BadRequest_InvalidToken``, stale: 409
``Request_EntityChanged``), deep insert of lines, the bound action ``shipAndInvoice``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from sandbox import query, schema
from sandbox.body_fields import refused
from sandbox.company import Collection, Company
from sandbox.json_text import Row, dumps, loads
from sandbox.odata import ODataError
from sandbox.order_desk import OrderDesk, found, missing
from sandbox.sign_in import SignIn
from sandbox.world import World

PREFIX = "/api/v2.0"
_HEADERS = {"OData-Version": "4.0"}
_MEDIA_TYPE = "application/json; odata.metadata=minimal; odata.streaming=true"

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Listing:
    """A collection as the API offers it, and the collections of its lines."""

    rows: Collection
    children: Mapping[str, Collection]


class BusinessCentral:
    """The requests of one environment; every effect goes through the world's journal."""

    def __init__(self, company: Company, world: World, sign_in: SignIn, page_size: int) -> None:
        self._company = company
        self._world = world
        self._desk = OrderDesk(company, world)
        self._sign_in = sign_in
        self._page_size = page_size
        self._listings = {
            "customers": Listing(company.customers, {}),
            "items": Listing(company.items, {}),
            "salesOrders": Listing(company.orders, {"salesOrderLines": company.order_lines}),
            "salesInvoices": Listing(
                company.invoices, {"salesInvoiceLines": company.invoice_lines}
            ),
            "salesShipments": Listing(
                company.shipments, {"salesShipmentLines": company.shipment_lines}
            ),
            "salesOrderLines": Listing(company.order_lines, {}),
            "salesInvoiceLines": Listing(company.invoice_lines, {}),
            "salesShipmentLines": Listing(company.shipment_lines, {}),
        }

    def router(self) -> APIRouter:
        """The routes; the first that matches answers."""
        routes = APIRouter()
        company = PREFIX + "/companies({company})"
        orders, lines = company + "/salesOrders", company + "/salesOrderLines"
        nested = orders + "({id})/salesOrderLines"
        table: list[tuple[str, str, Handler]] = [
            ("GET", PREFIX + "/companies", self._companies),
            ("GET", company, self._one_company),
            ("POST", orders + "({id})/Microsoft.NAV.shipAndInvoice", self._ship_and_invoice),
            ("POST", nested, self._add_line),
            ("POST", lines, self._add_line),
            ("PATCH", nested + "({line})", self._change_line),
            ("PATCH", lines + "({line})", self._change_line),
            ("DELETE", nested + "({line})", self._delete_line),
            ("DELETE", lines + "({line})", self._delete_line),
            ("POST", orders, self._create_order),
            ("PATCH", orders + "({id})", self._change_order),
            ("DELETE", orders + "({id})", self._delete_order),
            ("GET", company + "/{parent}({id})/{child}({line})", self._one_child),
            ("GET", company + "/{parent}({id})/{child}", self._children),
            ("GET", company + "/{collection}({id})", self._one),
            ("GET", company + "/{collection}", self._many),
        ]
        for method, path, handler in table:
            routes.add_api_route(path, self._guarded(handler), methods=[method])
        routes.add_api_route(
            PREFIX + "/{rest:path}",
            self._guarded(self._nothing_there),
            methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        )
        return routes

    def _guarded(self, handler: Handler) -> Handler:
        """Check the caller, the company, and turn refusals into OData errors."""

        async def answer(request: Request) -> Response:
            try:
                self._check(request)
                return await handler(request)
            except ODataError as error:
                headers = _HEADERS | ({"WWW-Authenticate": "Bearer"} if error.status == 401 else {})  # noqa: PLR2004  RFC 9110, 11.6.1
                body = dumps(error.body(self._world.new_id()))
                return Response(body, error.status, headers, media_type="application/json")

        return answer

    def _check(self, request: Request) -> None:
        if not self._sign_in.accepts(request.headers.get("authorization")):
            raise ODataError(
                401,
                "Authentication_InvalidCredentials",
                "The server has rejected the client credentials.",
            )
        company: str = request.path_params.get("company") or self._company.row["id"]
        if company.lower() != self._company.row["id"]:
            raise ODataError(404, "Internal_CompanyNotFound", "The company cannot be found.")

    # Reading

    async def _companies(self, request: Request) -> Response:
        rows = Collection(schema.COMPANY)
        rows.put(self._company.row)
        return self._page(request, Listing(rows, {}))

    async def _one_company(self, _request: Request) -> Response:
        return _row(schema.COMPANY.render(self._company.row))

    async def _many(self, request: Request) -> Response:
        name = request.path_params["collection"]
        listing = self._listing(name)
        if name.endswith("Lines") and "documentId" not in request.query_params.get("$filter", ""):
            raise refused("You must specify an Id or a Document Id to get the lines.")
        return self._page(request, listing)

    async def _one(self, request: Request) -> Response:
        listing = self._listing(request.path_params["collection"])
        row = found(listing.rows, request.path_params["id"])
        return self._render_one(request, listing, row)

    async def _children(self, request: Request) -> Response:
        rows, parent = self._child_rows(request)
        below = Collection(rows.entity)
        for row in rows.find(documentId=parent["id"]):
            below.put(row)
        return self._page(request, Listing(below, {}))

    async def _one_child(self, request: Request) -> Response:
        rows, parent = self._child_rows(request)
        row = found(rows, request.path_params["line"])
        if row["documentId"] != parent["id"]:
            raise missing(rows)
        return self._render_one(request, Listing(rows, {}), row)

    async def _nothing_there(self, request: Request) -> Response:
        segment = request.path_params["rest"].rpartition("/")[2]
        if request.method != "GET" and segment.partition("(")[0] in self._listings:
            raise ODataError(
                405, "BadRequest_MethodNotAllowed", f"'{request.method}' requests are not allowed."
            )
        raise ODataError(404, "BadRequest_ResourceNotFound", "Resource not found for the segment.")

    def _listing(self, name: str) -> Listing:
        listing = self._listings.get(name)
        if listing is None:
            raise ODataError(
                404, "BadRequest_ResourceNotFound", f"Resource not found for the segment '{name}'."
            )
        return listing

    def _child_rows(self, request: Request) -> tuple[Collection, Row]:
        listing = self._listing(request.path_params["parent"])
        child = listing.children.get(request.path_params["child"])
        if child is None:
            raise ODataError(
                404, "BadRequest_ResourceNotFound", "Resource not found for the segment."
            )
        return child, found(listing.rows, request.path_params["id"])

    def _page(self, request: Request, listing: Listing) -> Response:
        parameters = dict(request.query_params)
        asked = query.parse(parameters, listing.rows.entity, frozenset(listing.children))
        page = query.run(asked, listing.rows, self._size(request))
        url = str(request.url.replace(query=""))
        context = f"{request.base_url}api/v2.0/$metadata#{quote(url.rpartition('/')[2], safe='()')}"
        body: Row = {"@odata.context": context}
        if page.total is not None:
            body["@odata.count"] = page.total
        body["value"] = [self._rendered(row, listing, asked) for row in page.rows]
        if page.token is not None:
            body["@odata.nextLink"] = query.next_link(url, parameters, page)
        return _row(body)

    def _size(self, request: Request) -> int:
        for preference in request.headers.get("prefer", "").split(","):
            name, _, value = preference.strip().partition("=")
            if name.lower() == "odata.maxpagesize" and value.isdigit() and int(value) > 0:
                return min(int(value), self._page_size)
        return self._page_size

    def _rendered(self, row: Row, listing: Listing, asked: query.Query) -> Row:
        shown = listing.rows.entity.render(row, asked.select)
        for name, select in (asked.expand or {}).items():
            below = listing.children[name]
            lines = sorted(below.find(documentId=row["id"]), key=lambda line: line["sequence"])
            shown[name] = [below.entity.render(line, select) for line in lines]
        return shown

    def _render_one(
        self, request: Request, listing: Listing, row: Row, status: int = 200
    ) -> Response:
        children = frozenset(listing.children)
        asked = query.parse(dict(request.query_params), listing.rows.entity, children)
        shown = self._rendered(row, listing, asked)
        return _row({"@odata.context": f"{request.base_url}api/v2.0/$metadata"} | shown, status)

    # Writing

    async def _create_order(self, request: Request) -> Response:
        order = self._desk.create_order(await _body(request))
        response = self._render_one(request, self._listings["salesOrders"], order, status=201)
        response.headers["Location"] = f"{request.url.replace(query='')}({order['id']})"
        return response

    async def _change_order(self, request: Request) -> Response:
        body = await _body(request)
        order = self._desk.change_order(request.path_params["id"], _etag(request), body)
        return self._render_one(request, self._listings["salesOrders"], order)

    async def _delete_order(self, request: Request) -> Response:
        self._desk.delete_order(request.path_params["id"], _etag(request))
        return _nothing()

    async def _add_line(self, request: Request) -> Response:
        body = await _body(request)
        order_id = request.path_params.get("id") or str(body.get("documentId", ""))
        line = self._desk.add_line(order_id, body)
        return self._render_one(request, self._listings["salesOrderLines"], line, status=201)

    async def _change_line(self, request: Request) -> Response:
        body = await _body(request)
        line = self._desk.change_line(request.path_params["line"], _etag(request), body)
        return self._render_one(request, self._listings["salesOrderLines"], line)

    async def _delete_line(self, request: Request) -> Response:
        self._desk.delete_line(request.path_params["line"], _etag(request))
        return _nothing()

    async def _ship_and_invoice(self, request: Request) -> Response:
        self._desk.ship_and_invoice(request.path_params["id"])
        return _nothing()


def _etag(request: Request) -> str | None:
    return request.headers.get("if-match")


async def _body(request: Request) -> Row:
    try:
        body = loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise ODataError(400, "BadRequest", "Invalid Request Body") from error
    if not isinstance(body, dict):
        raise ODataError(400, "BadRequest", "Invalid Request Body")
    return body


def _row(body: Row, status: int = 200) -> Response:
    return Response(dumps(body), status, _HEADERS, media_type=_MEDIA_TYPE)


def _nothing() -> Response:
    return Response(status_code=204, headers=_HEADERS)
