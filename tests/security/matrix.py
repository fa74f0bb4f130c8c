"""The authorisation matrix: what each route answers to whom, reviewed by hand.

`login` is being led to the sign-in page; 303 leads on to somewhere else. Bodies are empty, so a
refusal of the body (400, 422) shows that the door was open. `dead` holds a cookie and a token whose
session was ended, `left` those of an account that was deleted.
"""

PEOPLE = ("stranger", "owner", "other", "staff", "dead", "left")

_TABLE = """
GET    /                                              200    200    200    200    200    200
GET    /api/v1/acc-percent                            401    200    200    200    401    401
POST   /api/v1/auth                                   400    400    400    400    400    400
POST   /api/v1/auth/kakao                             400    400    400    400    400    400
POST   /api/v1/auth/local                             400    400    400    400    400    400
POST   /api/v1/auth/local/signup                      400    400    400    400    400    400
POST   /api/v1/auth/logout                            401    204    204    204    401    401
POST   /api/v1/auth/logout-all                        401    204    204    204    401    401
POST   /api/v1/auth/token/refresh                     400    400    400    400    400    400
POST   /api/v1/auth/token/verify                      400    200    200    200    401    401
GET    /api/v1/base-rates                             200    200    200    200    200    200
GET    /api/v1/coins                                  200    200    200    200    200    200
GET    /api/v1/coins/<code>                           200    200    200    200    200    200
GET    /api/v1/coins/<code>/candles                   200    200    200    200    200    200
GET    /api/v1/desk/backtests                         401    200    200    200    401    401
POST   /api/v1/desk/backtests                         401    400    400    400    401    401
GET    /api/v1/desk/backtests/<int:backtest_id>       401    200    404    404    401    401
DELETE /api/v1/desk/backtests/<int:backtest_id>       401    204    404    404    401    401
GET    /api/v1/desk/accounts                          401    200    200    200    401    401
POST   /api/v1/desk/accounts                          401    400    400    400    401    401
GET    /api/v1/desk/accounts/<int:account_id>         401    200    404    404    401    401
DELETE /api/v1/desk/accounts/<int:account_id>         401    409    404    404    401    401
POST   /api/v1/desk/accounts/<int:account_id>/check   401    200    404    404    401    401
GET    /api/v1/desk/bots                              401    200    200    200    401    401
GET    /api/v1/desk/bots/<mode:mode>                  401    200    200    200    401    401
PUT    /api/v1/desk/bots/<mode:mode>/settings         401    200    200    200    401    401
POST   /api/v1/desk/bots/<mode:mode>/start            401    200    200    200    401    401
POST   /api/v1/desk/bots/<mode:mode>/stop             401    200    200    200    401    401
POST   /api/v1/desk/bots/halt                         401    200    200    200    401    401
POST   /api/v1/desk/bots/lift                         401    200    200    200    401    401
GET    /api/v1/docs                                   200    200    200    200    200    200
GET    /api/v1/live                                   200    200    200    200    200    200
GET    /api/v1/openapi.json                           200    200    200    200    200    200
GET    /api/v1/points/ledger                          401    200    200    200    401    401
POST   /api/v1/points/top-up                          401    201    201    201    401    401
GET    /api/v1/user                                   401    200    200    200    401    401
PATCH  /api/v1/user                                  401    200    200    200    401    401
GET    /api/v1/user/created-votes                     401    200    200    200    401    401
GET    /api/v1/user/export                            401    200    200    200    401    401
GET    /api/v1/user/favourites                        401    200    200    200    401    401
DELETE /api/v1/user/favourites/<coin:code>            401    204    204    204    401    401
PUT    /api/v1/user/favourites/<coin:code>            401    204    204    204    401    401
POST   /api/v1/user/leave                             401    400    400    400    401    401
POST   /api/v1/user/first-password                   401    400    400    400    401    401
POST   /api/v1/user/kakao                            401    400    400    400    401    401
DELETE /api/v1/user/kakao                            401    404    404    404    401    401
PATCH  /api/v1/user/nickname                          401    400    400    400    401    401
POST   /api/v1/user/nickname/check                    401    400    400    400    401    401
GET    /api/v1/user/participated-votes                401    200    200    200    401    401
POST   /api/v1/user/password                          401    400    400    400    401    401
GET    /api/v1/user/sessions                          401    200    200    200    401    401
DELETE /api/v1/user/sessions/<int:session_id>         401    204    404    404    401    401
GET    /api/v1/user/ways-in                          401    200    200    200    401    401
GET    /api/v1/votes                                  401    200    200    200    401    401
POST   /api/v1/votes                                  401    400    400    400    401    401
GET    /api/v1/votes/<int:vote_id>                    401    200    200    200    401    401
POST   /api/v1/votes/<int:vote_id>/choice             401    400    400    400    401    401
GET    /api/v1/votes/<int:vote_id>/evidence           401    200    200    200    401    401
GET    /coin                                          401    401    401    401    401    401
GET    /coin/clientassets                             401    401    401    401    401    401
GET    /coin/start                                    401    401    401    401    401    401
GET    /coin/tickers_20                               200    200    200    200    200    200
GET    /coin/tickers_db                               200    200    200    200    200    200
GET    /coins                                         200    200    200    200    200    200
GET    /coins/board                                   200    200    200    200    200    200
POST   /coins/<coin:code>/favourite                   login  303    303    303    login  login
GET    /coins/<code>                                  200    200    200    200    200    200
GET    /coins/<code>/logo                             404    404    404    404    404    404
GET    /create                                        login  200    200    200    login  login
GET    /create/rates                                  login  404    404    404    login  login
POST   /create                                        login  303    303    303    login  login
GET    /desk                                          login  200    200    200    login  login
GET    /desk/backtest                                 login  200    200    200    login  login
POST   /desk/backtest                                 login  422    422    422    login  login
GET    /desk/backtest/<int:backtest_id>               login  200    404    404    login  login
POST   /desk/backtest/<int:backtest_id>/cancel        login  303    404    404    login  login
GET    /desk/backtest/<int:backtest_id>/k.csv         login  200    404    404    login  login
GET    /desk/backtest/<int:backtest_id>/progress      login  200    404    404    login  login
GET    /desk/backtest/<int:backtest_id>/trades.csv    login  200    404    404    login  login
GET    /desk/accounts/<int:account_id>/unlink         login  200    404    404    login  login
POST   /desk/accounts/<int:account_id>/check          login  303    404    404    login  login
POST   /desk/accounts/<int:account_id>/unlink         login  303    404    404    login  login
GET    /desk/link                                     login  200    200    200    login  login
POST   /desk/link                                     login  422    422    422    login  login
GET    /desk/live                                     login  200    200    200    login  login
GET    /desk/bot                                      login  200    200    200    login  login
POST   /desk/bot/halt                                 login  303    303    303    login  login
POST   /desk/bot/lift                                 login  303    303    303    login  login
GET    /desk/bot/live                                 login  200    200    200    login  login
GET    /desk/bot/orders.csv                           login  200    200    200    login  login
GET    /desk/bot/real                                 login  200    200    200    login  login
POST   /desk/bot/real                                 login  422    422    422    login  login
POST   /desk/bot/real/account                         login  404    404    404    login  login
POST   /desk/bot/real/no                              login  303    303    303    login  login
GET    /desk/bot/runs/<int:run_id>/log.txt            login  200    404    404    login  login
GET    /desk/bot/settings                             login  200    200    200    login  login
POST   /desk/bot/settings                             login  422    422    422    login  login
POST   /desk/bot/start                                login  303    303    303    login  login
POST   /desk/bot/stop                                 login  303    303    303    login  login
GET    /health                                        503    503    503    503    503    503
POST   /kakao/events                                  400    400    400    400    400    400
GET    /kakao/unlinked                                401    401    401    401    401    401
POST   /kakao/unlinked                                401    401    401    401    401    401
GET    /login                                         200    303    303    303    200    200
POST   /login                                         422    303    303    303    422    422
GET    /login/kakao                                   303    303    303    303    303    303
GET    /login/kakao/callback                          login  303    303    303    login  login
POST   /logout                                        303    303    303    303    303    303
GET    /me                                            login  200    200    200    login  login
GET    /me/points                                     login  200    200    200    login  login
GET    /me/settings                                   login  200    200    200    login  login
GET    /me/settings/export.json                       login  200    200    200    login  login
GET    /me/settings/export/<kind>.csv                 login  200    200    200    login  login
POST   /me/settings/first-password                    login  422    422    422    login  login
GET    /me/settings/kakao                             login  400    400    400    login  login
POST   /me/settings/kakao/unlink                      login  404    404    404    login  login
GET    /me/settings/leave                             login  200    200    200    login  login
POST   /me/settings/leave                             login  422    422    422    login  login
GET    /me/settings/nickname                          login  303    303    303    login  login
POST   /me/settings/nickname                          login  422    422    422    login  login
GET    /me/settings/password                          login  303    303    303    login  login
POST   /me/settings/password                          login  422    422    422    login  login
POST   /me/settings/sessions/<int:session_id>/end     login  303    303    303    login  login
POST   /me/settings/sign-out-everywhere               login  login  login  login  login  login
POST   /me/top-up                                     login  303    303    303    login  login
GET    /me/votes                                      login  200    200    200    login  login
GET    /pictures/<digest>                             200    200    200    200    200    200
GET    /signup                                        200    303    303    303    200    200
POST   /signup                                        422    303    303    303    422    422
GET    /staff/candles                                 login  403    403    200    login  login
GET    /tracker/coins                                 200    200    200    200    200    200
GET    /tutorial                                      200    200    200    200    200    200
GET    /votes                                         200    200    200    200    200    200
GET    /votes/<int:vote_id>                           200    200    200    200    200    200
GET    /votes/<int:vote_id>/answer                    login  303    303    303    login  login
POST   /votes/<int:vote_id>/answer                    login  303    303    303    login  login
GET    /votes/<int:vote_id>/evidence.json             404    404    404    404    404    404
GET    /votes/<int:vote_id>/live                      200    200    200    200    200    200
GET    /votes/<int:vote_id>/void                      login  403    403    200    login  login
POST   /votes/<int:vote_id>/void                      login  403    403    303    login  login
GET    /votes/live                                    200    200    200    200    200    200
GET    /welcome                                       login  200    200    200    login  login
POST   /welcome                                       login  303    303    303    login  login
"""

#: Per route the answers in the order of PEOPLE.
STATUSES = {
    f"{method} {rule}": answers
    for method, rule, *answers in (line.split() for line in _TABLE.strip().splitlines())
}
